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
    const may = Boolean(state.may?.includes("drill"));
    this.#box.setAttribute("aria-label", t("Drill"));
    this.#box.hidden = drill === null || Boolean(state.locked);
    document.body.classList.toggle("drilling", drill !== null);
    draw(this.#box, [drill, may], () => {
      this.#box.classList.toggle("real", Boolean(drill?.real));
      return drill ? this.#bar(drill, may) : [];
    });
  }

  #bar(drill, may) {
    const { real } = drill;
    const can = (what) => may && (drill.may ?? []).includes(what);
    const order = (what, label) => button({ "data-key": what, click: () => this.#order(what) }, label);
    return [
      el("strong", { class: "drill-word" }, real ? t("Real document") : t("Drill")),
      el(
        "p",
        { class: "drill-task", dir: "auto" },
        drill.of && !real ? t("{step} of {all}.", { step: drill.step, all: drill.of }) : null,
        " ",
        real ?? (drill.results ? t("Right: {right}, wrong: {wrong}.", drill.results) : drill.task),
      ),
      drill.results ? button({ "data-key": "results", click: () => results(drill.results) }, t("Results")) : null,
      can("next") ? order("next", t("Next task")) : null,
      can("end") ? order("end", t("End the drill")) : null,
      can("keep") ? order("keep", t("Keep the results")) : null,
      can("discard") ? order("discard", t("Discard the results")) : null,
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

function results({ right, wrong, why, lines }) {
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
          el("span", { class: "finding-state" }, el("span", { "aria-hidden": "true" }, line.right ? "●" : "◇"), " ", line.right ? t("right") : t("wrong")),
          el("div", {}, el("p", { dir: "auto" }, line.word), line.told ? el("p", { class: "fix", dir: "auto" }, line.told) : null),
        ),
      ),
    ),
  );
  sheet.open();
}
