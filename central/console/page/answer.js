/* Answering an alert: what central found, why, what the officer is to do, and until when it holds.

   Each alert has a draft of its own, which is kept while it is typed. The draft remembers the latest
   answer that the operator had in front of him when he began. Where somebody else answers meanwhile
   the form says so and does not send until the operator has said that he has seen it; the server
   refuses it as well, for the case that it knew earlier. */

import { answersOf, keyOf, latestAnswer } from "./alerts.js";
import { confirmSending } from "./confirm.js";
import { el, setText } from "./dom.js";
import { HOLDS, READY } from "./ready.js";
import { WireError, alertPath, get, post } from "./wire.js";
import { ANSWER, momentOf, timeOf } from "./words.js";
import { now } from "./clock.js";

const KEYS = { confirmed: "c", not_confirmed: "n", need_more: "m" };
const STANDARD_HOURS = 24;

export class AnswerForm {
  #alert = null;
  #draft = null;
  #sending = false;
  #options;

  /** `me` is the user's name; `fetching` is given an alert and a request that gives the whole of it
   *  anew; `onDraft` is called when a draft begins or ends; `onSent` when an answer is on its way. */
  constructor(container, drafts, options) {
    this.container = container;
    this.drafts = drafts;
    this.#options = options;
    this.#build();
  }

  /** Shows the form for an alert, or for the same alert after it has changed. */
  show(alert) {
    const same = alert && this.#alert && keyOf(alert) === keyOf(this.#alert);
    this.#alert = alert;
    this.container.hidden = !alert;
    if (!alert) return;
    if (same && !this.#sending && isMine(latestAnswer(alert), this.#draft, this.#options.me)) this.#sent(alert);
    if (!same) {
      this.#draft = this.drafts.get(keyOf(alert));
      this.#fill();
      this.#say("");
    }
    this.#showState();
  }

  /** Begins an answer, or changes what it says. */
  choose(outcome) {
    if (!this.#alert || this.#sending) return;
    const before = this.#draft;
    this.#draft ??= { outcome, reason: "", instruction: "", hours: STANDARD_HOURS, seen: latestAnswer(this.#alert)?.id ?? null };
    const untouched = !before || isReadyMade(before);
    this.#draft.outcome = outcome;
    if (untouched) this.#draft.instruction = READY[outcome].instructions[0];
    this.#keep();
    this.#fill();
    this.#showState();
    this.reason.focus();
  }

  /** Asks once more, showing the number again, and sends. */
  async send() {
    const alert = this.#alert;
    const draft = this.#draft;
    if (!alert || !draft || this.#sending || this.#conflict()) return;
    const fault = faultOf(draft);
    if (fault) {
      this.#complain(fault.message, fault.field);
      return;
    }
    this.#complain("");
    if (!(await confirmSending(alert, draft))) return;
    if (this.#alert && keyOf(this.#alert) === keyOf(alert)) await this.#send(alert, draft);
  }

  /** Whether the focus is in the form. */
  get hasFocus() {
    return this.container.contains(document.activeElement);
  }

  async #send(alert, draft) {
    this.#sending = true;
    this.#say("Sending…");
    this.#showState();
    try {
      this.#sent(await this.#options.fetching(alert, post(alertPath(alert, "/answer"), {
        outcome: draft.outcome,
        reason: draft.reason.trim(),
        instruction: draft.instruction.trim(),
        holds_hours: draft.hours,
        answered: draft.seen,
      })));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      await this.#failed(error, alert, draft);
    } finally {
      this.#sending = false;
      this.#showState();
    }
  }

  #sent(said) {
    const key = keyOf(said);
    this.drafts.drop(key);
    if (this.#alert && keyOf(this.#alert) === key) {
      this.#draft = null;
      this.#fill();
      this.#say(`Sent at ${timeOf(now())}.`);
    }
    this.#options.onDraft();
    this.#options.onSent(said);
  }

  async #failed(error, alert, draft) {
    this.#say("");
    if (error.code !== "unreachable" && error.status !== 409) {
      this.#complain(error.message, error.field);
      return;
    }
    let said;
    try {
      said = await this.#options.fetching(alert, get(alertPath(alert)));
    } catch {
      this.#complain("Central cannot be reached, and it is not known whether the answer arrived there. What you wrote is kept; look again when the connection is back.");
      return;
    }
    if (isMine(latestAnswer(said), draft, this.#options.me)) {
      this.#sent(said);
      return;
    }
    if (error.status !== 409) this.#complain("The answer did not arrive. Please send it again.");
    else if (!this.#conflict()) this.#complain(error.message);
  }

  #conflict() {
    if (!this.#draft || !this.#alert) return null;
    const latest = latestAnswer(this.#alert);
    if (!latest || latest.id === this.#draft.seen || isMine(latest, this.#draft, this.#options.me)) return null;
    return latest;
  }

  #build() {
    this.choices = Object.entries(ANSWER).map(([outcome, told]) => this.#choice(outcome, told));
    this.reason = el("input", { id: "reason", maxlength: "280", autocomplete: "off", "aria-describedby": "complaint" });
    this.reasonHint = el("span", { class: "soft" });
    this.instruction = el("textarea", { id: "instruction", maxlength: "500", rows: "3", "aria-describedby": "complaint" });
    this.hours = el("select", { id: "hours" }, HOLDS.map(({ hours, text }) => el("option", { value: hours }, text)));
    this.until = el("span", { class: "soft" });
    this.readyReasons = el("div", { class: "ready", role: "group", "aria-label": "Ready-made reasons" });
    this.readyInstructions = el("div", { class: "ready", role: "group", "aria-label": "Ready-made instructions" });
    this.complaint = el("p", { class: "error", id: "complaint", role: "alert" });
    this.status = el("p", { class: "status", role: "status" });
    this.conflict = el("div", { class: "notice over", role: "alert", hidden: true });
    this.sendButton = el("button", { type: "submit", class: "primary" }, "Send… ", el("kbd", {}, "Ctrl Enter"));
    this.discard = el("button", { type: "button", click: () => this.#discard() }, "Discard");
    this.fields = el(
      "div",
      { class: "fields" },
      el("label", { for: "reason" }, "Reason ", this.reasonHint),
      this.reason,
      this.readyReasons,
      el("label", { for: "instruction" }, "Instruction ", el("span", { class: "soft" }, "to the officer's screen; the traveller may see it")),
      this.instruction,
      this.readyInstructions,
      el("label", { for: "hours" }, "Holds for this document"),
      el("div", { class: "line" }, this.hours, this.until),
      el("div", { class: "line buttons" }, this.sendButton, this.discard),
    );
    this.form = el("form", { novalidate: true, autocomplete: "off" }, el("fieldset", { class: "choices" }, el("legend", {}, "Answer"), this.choices.map((choice) => choice.label)), this.fields, this.complaint);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    for (const input of [this.reason, this.instruction, this.hours]) input.addEventListener("input", () => this.#typed());
    this.container.replaceChildren(this.conflict, this.form, this.status);
  }

  #choice(outcome, told) {
    const input = el("input", { type: "radio", name: "outcome", value: outcome, change: () => this.choose(outcome) });
    const label = el(
      "label",
      { class: `choice tone-${told.tone}` },
      input,
      el("span", { class: "choice-mark", "aria-hidden": "true" }, told.mark),
      el("span", { class: "choice-text" }, el("strong", {}, told.word), el("span", { class: "soft" }, told.means)),
      el("kbd", {}, KEYS[outcome]),
    );
    return { outcome, input, label };
  }

  #typed() {
    if (!this.#draft) return;
    this.#draft.reason = this.reason.value;
    this.#draft.instruction = this.instruction.value.replace(/\s*\n\s*/g, " ");
    this.#draft.hours = Number(this.hours.value);
    this.#showUntil();
    this.#keep();
  }

  #fill() {
    const draft = this.#draft;
    for (const { outcome, input } of this.choices) input.checked = draft?.outcome === outcome;
    this.reason.value = draft?.reason ?? "";
    this.instruction.value = draft?.instruction ?? "";
    this.hours.value = String(draft?.hours ?? STANDARD_HOURS);
    setText(this.reasonHint, `for the record; it stays at central${draft?.outcome === "not_confirmed" ? "; needed" : ""}`);
    const ready = draft ? READY[draft.outcome] : { reasons: [], instructions: [] };
    this.readyReasons.replaceChildren(...ready.reasons.map((text) => this.#readyButton(text, this.reason)));
    this.readyInstructions.replaceChildren(...ready.instructions.map((text) => this.#readyButton(text, this.instruction)));
    this.#complain("");
    this.#showUntil();
  }

  #readyButton(text, field) {
    const put = () => {
      field.value = text;
      this.#typed();
      field.focus();
    };
    return el("button", { type: "button", class: "small", click: put }, text);
  }

  #discard() {
    this.drafts.drop(keyOf(this.#alert));
    this.#draft = null;
    this.#fill();
    this.#say("The draft is discarded; nothing was sent.");
    this.#showState();
    this.choices[0].input.focus();
    this.#options.onDraft();
  }

  #keep() {
    const isNew = !this.drafts.has(keyOf(this.#alert));
    this.drafts.set(keyOf(this.#alert), this.#draft);
    if (isNew) this.#options.onDraft();
  }

  #showState() {
    this.fields.hidden = !this.#draft;
    this.container.classList.toggle("idle", !this.#draft);
    this.sendButton.disabled = this.#sending || this.#conflict() !== null;
    const answered = answersOf(this.#alert).length > 0;
    setText(this.form.querySelector("legend"), answered ? "Answer again" : "Answer");
    this.form.classList.toggle("again", answered && !this.#draft);
    this.#showConflict();
  }

  #showConflict() {
    const latest = this.#conflict();
    const said = latest ? latest.id : "";
    if (this.conflict.dataset.said === said) return;
    this.conflict.dataset.said = said;
    this.conflict.hidden = !latest;
    if (!latest) {
      this.conflict.replaceChildren();
      return;
    }
    const told = ANSWER[latest.outcome]?.word ?? latest.outcome;
    const seen = () => {
      this.#draft.seen = latest.id;
      this.#keep();
      this.#showState();
      this.reason.focus();
    };
    this.conflict.replaceChildren(
      el("p", {}, el("span", { "aria-hidden": "true" }, "▲ "), `${latest.by ?? "Somebody"} has answered meanwhile, at ${momentOf(latest.at)}: `, el("strong", {}, told), ". Your answer was not sent."),
      el("div", { class: "line buttons" }, el("button", { type: "button", click: seen }, "I have seen it; answer again"), el("button", { type: "button", click: () => this.#discard() }, "Discard my answer")),
    );
  }

  #showUntil() {
    const hours = Number(this.hours.value);
    setText(this.until, `until ${momentOf(new Date(now() + hours * 3600000).toISOString())}`);
  }

  #complain(message, field = null) {
    setText(this.complaint, message);
    const inputs = { reason: this.reason, instruction: this.instruction, holds_hours: this.hours };
    for (const input of Object.values(inputs)) input.removeAttribute("aria-invalid");
    if (message && inputs[field]) {
      inputs[field].setAttribute("aria-invalid", "true");
      inputs[field].focus();
    }
  }

  #say(message) {
    setText(this.status, message);
  }
}

function faultOf(draft) {
  if (draft.outcome === "not_confirmed" && !draft.reason.trim()) {
    return { field: "reason", message: "Say why it is not confirmed: the record has to show it." };
  }
  if (draft.outcome === "need_more" && !draft.instruction.trim()) {
    return { field: "instruction", message: "Say what is needed from the desk." };
  }
  return null;
}

function isReadyMade(draft) {
  return !draft.instruction || READY[draft.outcome].instructions.includes(draft.instruction);
}

function isMine(answer, draft, me) {
  return answer !== null && draft !== null && answer.by === me && answer.id !== draft.seen && answer.outcome === draft.outcome && answer.instruction === draft.instruction.trim();
}
