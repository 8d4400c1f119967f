/* A drill: a bar that nobody can overlook for as long as it lasts, the task of the moment, and at its
   end what the trainee told right. A real document that is laid down in it turns the bar round. */

import { button, draw, el } from "./dom.js";
import { Sheet } from "./sheet.js";
import { post } from "./wire.js";
import { t } from "./words.js";

export class Drill {
  #box = document.getElementById("drill");
  #tell;

  /** `tell` says what did not work. */
  constructor(tell) {
    this.#tell = tell;
  }

  show(state) {
    const drill = state.drill ?? null;
    this.#box.setAttribute("aria-label", t("Drill"));
    this.#box.hidden = drill === null;
    document.body.classList.toggle("drilling", drill?.state === "running");
    draw(this.#box, [drill, state.locked], () => {
      this.#box.classList.toggle("real", Boolean(drill?.real));
      this.#box.classList.toggle("over", drill?.state === "ended");
      return drill ? this.#bar(drill, state.locked) : [];
    });
  }

  /** While the page is locked the bar still says that there is a drill, and nothing can be done. */
  #bar(drill, locked) {
    const { real, results } = drill;
    const order = (what, label) =>
      !locked && drill.may.includes(what)
        ? button({ "data-key": what, click: () => this.#order(what) }, label)
        : null;
    return [
      el("strong", { class: "drill-word" }, real ? t("Real document") : t("Drill")),
      el(
        "p",
        { class: "drill-task", dir: "auto" },
        real ?? drill.task,
        results ? ` ${t("Right: {right}, wrong: {wrong}.", results)}` : null,
      ),
      results ? button({ "data-key": "results", click: () => show(results) }, t("Results")) : null,
      order("set_aside", t("Set aside")),
      order("next", t("Next specimen")),
      order("end", t("End the drill")),
      order("keep", t("Keep")),
      order("discard", t("Discard")),
    ];
  }

  async #order(what) {
    try {
      await post("/kiosk/drill", { do: what });
    } catch (error) {
      this.#tell(error.message);
    }
  }
}

function show({ right, wrong, why, lines }) {
  const sheet = new Sheet(t("What the drill showed"), { name: "drilled" });
  sheet.body.append(
    el("p", { class: "drill-sum" }, t("Right: {right}, wrong: {wrong}.", { right, wrong })),
    why ? el("p", { class: "soft", dir: "auto" }, why) : null,
    el(
      "ul",
      { class: "findings" },
      (lines ?? []).map((line) =>
        el(
          "li",
          { class: `finding ${line.right ? "ok" : "fail"}` },
          el(
            "span",
            { class: "finding-state" },
            el("span", { "aria-hidden": "true" }, line.right ? "●" : "◇"),
            " ",
            line.right ? t("right") : t("wrong"),
          ),
          el(
            "div",
            {},
            el("p", { dir: "auto" }, line.word),
            line.told ? el("p", { class: "fix", dir: "auto" }, line.told) : null,
          ),
        ),
      ),
    ),
  );
  sheet.open();
}
