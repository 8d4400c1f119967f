/* A sheet over the page for what takes more than one touch. Its head goes on saying what is on the
   desk, so that a verdict that arrives meanwhile is not missed. One sheet is open at a time; Esc, the
   cross or a touch beside it closes it and nothing has happened. */

import { button, draw, el } from "./dom.js";
import { shape, shapeOf } from "./shapes.js";
import { t } from "./words.js";

let open = null;
let latest = null;

export class Sheet {
  #dialog;
  #glance = el("p", { class: "glance" });
  #onState;
  #onClose;

  /** `low`: only as high as it must be, at the bottom, so that the verdict stays in sight. `onState`
   *  hears each new state, `onClose` that it is over. `tools` stand in the head. */
  constructor(title, { low = false, onState = null, onClose = null, tools = null, name = "" } = {}) {
    this.#onState = onState;
    this.#onClose = onClose;
    this.body = el("div", { class: "sheet-body" });
    this.error = el("p", { class: "error", role: "alert" });
    this.#dialog = el(
      "dialog",
      { class: `sheet ${low ? "low" : "whole"} ${name}`, "aria-labelledby": "sheet-title" },
      el(
        "div",
        { class: "sheet-head" },
        el("h2", { id: "sheet-title" }, title),
        tools,
        this.#glance,
        button({ class: "close", "aria-label": t("Close"), click: () => this.close() }, "✕"),
      ),
      this.body,
      this.error,
    );
    this.#dialog.addEventListener("close", () => this.#closed());
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && this.close());
  }

  /** Opens it in the place of one that is open. `focus` gets the focus. */
  open(focus = null) {
    open?.close();
    open = this;
    document.body.append(this.#dialog);
    this.show(latest);
    this.#dialog.showModal();
    focus?.focus();
  }

  close() {
    this.#dialog.close();
  }

  /** Something that did not work, in words. */
  tell(error) {
    this.error.textContent = error?.message ?? error ?? "";
  }

  /** Does what may fail; says so where it does. Whether it succeeded. */
  async attempt(work) {
    this.tell("");
    try {
      await work();
      return true;
    } catch (error) {
      this.tell(error);
      return false;
    }
  }

  show(state) {
    if (!state) return;
    draw(this.#glance, [state.state, state.word], () => {
      this.#glance.dataset.tone = shapeOf(state.state).tone;
      return [shape(state.state), el("span", { dir: "auto" }, state.word)];
    });
    this.#onState?.(state, this);
  }

  #closed() {
    this.#onClose?.();
    this.#dialog.remove();
    if (open === this) open = null;
  }
}

/** Tells the sheet that is open about a new state; without a state, that the daemon is lost. */
export function showInSheet(state) {
  latest = state ?? { ...latest, state: "lost", word: t("Not connected") };
  open?.show(latest);
}

/** Closes the sheet that is open. */
export function closeSheet() {
  open?.close();
}

/** Whether a sheet is open. */
export function sheetIsOpen() {
  return open !== null;
}

/** A row of choices of which one holds; `choose` is told which. */
export function choices(legend, name, options, chosen, choose) {
  return el(
    "fieldset",
    { class: "choices" },
    el("legend", {}, legend),
    options.map(([value, label, attributes = {}]) => {
      const input = el("input", { type: "radio", name, value, change: () => choose(value) });
      input.checked = value === chosen;
      return el("label", { class: "choice", ...attributes }, input, el("span", {}, label));
    }),
  );
}
