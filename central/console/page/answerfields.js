/* What an answer is typed into: the three choices, reason, instruction, how long it holds. It shows a
   draft and tells what was typed; what becomes of it is decided elsewhere. */

import { now } from "./clock.js";
import { el, setText } from "./dom.js";
import { HOLDS, READY } from "./ready.js";
import { ANSWER, momentOf } from "./words.js";

export const STANDARD_HOURS = 24;

const KEYS = { confirmed: "c", not_confirmed: "n", need_more: "m" };
const HOUR_MS = 3600000;
const NOTHING = { reason: "", instruction: "", hours: STANDARD_HOURS };

export class AnswerFields {
  #on;

  /** `on` has a function for each thing that can be done here: `choose` an outcome, `type`, `send`,
   *  `discard`. */
  constructor(on) {
    this.#on = on;
    this.choices = Object.entries(ANSWER).map(([outcome, told]) => this.#choice(outcome, told));
    this.reason = el("input", {
      id: "reason",
      maxlength: 280,
      autocomplete: "off",
      "aria-describedby": "complaint",
    });
    this.reasonHint = el("span", { class: "soft" });
    this.instruction = el("textarea", {
      id: "instruction",
      maxlength: 500,
      rows: 3,
      "aria-describedby": "complaint",
    });
    this.hours = el(
      "select",
      { id: "hours" },
      HOLDS.map(({ hours, text }) => el("option", { value: hours }, text)),
    );
    this.until = el("span", { class: "soft" });
    this.readyReasons = el("div", { class: "ready", role: "group", "aria-label": "Ready-made reasons" });
    this.readyInstructions = el("div", {
      class: "ready",
      role: "group",
      "aria-label": "Ready-made instructions",
    });
    this.complaint = el("p", { class: "error", id: "complaint", role: "alert" });
    this.legend = el("legend", {}, "Answer");
    this.send = el("button", { type: "submit", class: "primary" }, "Send… ", el("kbd", {}, "Ctrl Enter"));
    this.fields = this.#fields();
    this.form = this.#form();
  }

  /** Shows a draft, or none. */
  show(draft) {
    const { reason, instruction, hours } = draft ?? NOTHING;
    for (const { outcome, input } of this.choices) input.checked = draft?.outcome === outcome;
    this.reason.value = reason;
    this.instruction.value = instruction;
    this.hours.value = String(hours);
    setText(
      this.reasonHint,
      `for the record; it stays at central${draft?.outcome === "not_confirmed" ? "; needed" : ""}`,
    );
    const ready = draft ? READY[draft.outcome] : { reasons: [], instructions: [] };
    this.readyReasons.replaceChildren(...ready.reasons.map((text) => this.#ready(text, this.reason)));
    this.readyInstructions.replaceChildren(
      ...ready.instructions.map((text) => this.#ready(text, this.instruction)),
    );
    this.complain(draft?.trouble ?? "");
    this.showUntil();
  }

  /** What is typed. The wire carries one line. */
  typed() {
    return {
      reason: this.reason.value,
      instruction: this.instruction.value.replace(/\s*\n\s*/g, " "),
      hours: Number(this.hours.value),
    };
  }

  showUntil() {
    setText(
      this.until,
      `until ${momentOf(new Date(now() + Number(this.hours.value) * HOUR_MS).toISOString())}`,
    );
  }

  /** Says what is wrong, and leads to the field that it is wrong with. */
  complain(message, field = null) {
    setText(this.complaint, message);
    const inputs = { reason: this.reason, instruction: this.instruction, holds_hours: this.hours };
    for (const input of Object.values(inputs)) input.removeAttribute("aria-invalid");
    if (message && inputs[field]) {
      inputs[field].setAttribute("aria-invalid", "true");
      inputs[field].focus();
    }
  }

  #choice(outcome, told) {
    const input = el("input", {
      type: "radio",
      name: "outcome",
      value: outcome,
      change: () => this.#on.choose(outcome),
    });
    const label = el(
      "label",
      { class: `choice tone-${told.tone}` },
      input,
      el("span", { class: "choice-mark", "aria-hidden": "true" }, told.mark),
      el(
        "span",
        { class: "choice-text" },
        el("strong", {}, told.word),
        el("span", { class: "soft" }, told.means),
      ),
      el("kbd", {}, KEYS[outcome]),
    );
    return { outcome, input, label };
  }

  #fields() {
    const shown = el("span", { class: "soft" }, "to the officer's screen; the traveller may see it");
    return el(
      "div",
      { class: "fields" },
      el("label", { for: "reason" }, "Reason ", this.reasonHint),
      this.reason,
      this.readyReasons,
      el("label", { for: "instruction" }, "Instruction ", shown),
      this.instruction,
      this.readyInstructions,
      el("label", { for: "hours" }, "Holds for this document"),
      el("div", { class: "line" }, this.hours, this.until),
      el(
        "div",
        { class: "line buttons" },
        this.send,
        el("button", { type: "button", click: () => this.#on.discard() }, "Discard"),
      ),
    );
  }

  #form() {
    const choices = el(
      "fieldset",
      { class: "choices" },
      this.legend,
      this.choices.map((choice) => choice.label),
    );
    const form = el("form", { novalidate: true, autocomplete: "off" }, choices, this.fields, this.complaint);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#on.send();
    });
    for (const input of [this.reason, this.instruction, this.hours]) {
      input.addEventListener("input", () => {
        this.showUntil();
        this.#on.type();
      });
    }
    return form;
  }

  #ready(text, field) {
    const put = () => {
      field.value = text;
      this.#on.type();
      field.focus();
    };
    return el("button", { type: "button", class: "small", click: put }, text);
  }
}
