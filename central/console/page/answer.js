/* Answering an alert: what central found, why, what the officer is to do, and until when it holds.

   Each alert has a draft of its own, which is kept while it is typed. The draft remembers the latest
   answer that the operator had in front of him when he began. Where somebody else answers meanwhile
   the form says so and does not send until the operator has said that he has seen it; the server
   refuses it as well, for the case that it knew earlier. Where it is not known whether an answer
   arrived, the server is asked; it counts as sent once the server shows it. */

import { answersOf, keyOf, latestAnswer } from "./alerts.js";
import { AnswerFields, STANDARD_HOURS } from "./answerfields.js";
import { now } from "./clock.js";
import { confirmSending } from "./confirm.js";
import { el, setText } from "./dom.js";
import { READY } from "./ready.js";
import { WireError, alertPath, get, post } from "./wire.js";
import { ANSWER, momentOf, timeOf } from "./words.js";

const NOT_KNOWN =
  "Central cannot be reached, and it is not known whether the answer arrived there. " +
  "What you wrote is kept; look again when the connection is back.";

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
    this.fields = new AnswerFields({
      choose: (outcome) => this.choose(outcome),
      type: () => this.#typed(),
      send: () => this.send(),
      discard: () => this.#discard(),
    });
    this.status = el("p", { class: "status", role: "status" });
    this.conflict = el("div", { class: "notice over", role: "alert", hidden: true });
    container.replaceChildren(this.conflict, this.fields.form, this.status);
  }

  /** Shows the form for an alert, or for the same alert after it has changed. */
  show(alert) {
    const same = alert && this.#isHere(alert);
    this.#alert = alert;
    this.container.hidden = !alert;
    if (!alert) return;
    if (!same) {
      this.#draft = this.drafts.get(keyOf(alert));
      this.fields.show(this.#draft);
      setText(this.status, "");
    }
    if (!this.#sending && this.#isMine(latestAnswer(alert), this.#draft)) this.#sent(alert);
    this.#showState();
  }

  /** Begins an answer, or changes what it says. */
  choose(outcome) {
    if (!this.#alert || this.#sending) return;
    const untouched = !this.#draft || isReadyMade(this.#draft);
    this.#draft ??= { reason: "", hours: STANDARD_HOURS, seen: latestAnswer(this.#alert)?.id ?? null };
    this.#draft.outcome = outcome;
    if (untouched) this.#draft.instruction = READY[outcome].instructions[0];
    this.#keep();
    this.fields.show(this.#draft);
    this.#showState();
    this.fields.reason.focus();
  }

  /** Asks once more, showing the number again, and sends. */
  async send() {
    const alert = this.#alert;
    const draft = this.#draft;
    if (!alert || !draft || this.#sending || this.#conflict()) return;
    const fault = faultOf(draft);
    this.fields.complain(fault?.message ?? "", fault?.field);
    if (fault || !(await confirmSending(alert, draft)) || !this.#isHere(alert)) return;
    this.#sending = true;
    setText(this.status, "Sending…");
    this.#showState();
    try {
      await this.#send(alert, draft);
    } finally {
      this.#sending = false;
      this.#showState();
    }
  }

  async #send(alert, draft) {
    const answer = {
      outcome: draft.outcome,
      reason: draft.reason.trim(),
      instruction: draft.instruction.trim(),
      holds_hours: draft.hours,
      answered: draft.seen,
    };
    try {
      this.#sent(await this.#options.fetching(alert, post(alertPath(alert, "/answer"), answer)));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      await this.#failed(error, alert, draft);
    }
  }

  #sent(said) {
    this.drafts.drop(keyOf(said));
    if (this.#isHere(said)) {
      this.#draft = null;
      this.fields.show(null);
      setText(this.status, `Sent at ${timeOf(now())}.`);
    }
    this.#options.onDraft();
    this.#options.onSent(said);
  }

  async #failed(error, alert, draft) {
    if (error.code !== "unreachable" && error.status !== 409) {
      this.#trouble(alert, draft, error.message, error.field);
      return;
    }
    let said;
    try {
      said = await this.#options.fetching(alert, get(alertPath(alert)));
    } catch {
      this.#trouble(alert, draft, NOT_KNOWN);
      return;
    }
    if (this.#isMine(latestAnswer(said), draft)) this.#sent(said);
    else if (error.status !== 409)
      this.#trouble(alert, draft, "The answer did not arrive. Please send it again.");
    else this.#trouble(alert, draft, latestAnswer(said)?.id === draft.seen ? error.message : "");
  }

  /** Says what became of an answer beside the alert that it is about, also when that is shown later. */
  #trouble(alert, draft, message, field = null) {
    this.drafts.set(keyOf(alert), { ...draft, trouble: message });
    if (!this.#isHere(alert)) return;
    setText(this.status, "");
    this.fields.complain(message, field);
  }

  /** Says something that is not about a draft. */
  tell(message) {
    setText(this.status, message);
  }

  #isHere(alert) {
    return this.#alert !== null && keyOf(this.#alert) === keyOf(alert);
  }

  /** Whether an answer is the one that this draft became. */
  #isMine(answer, draft) {
    return (
      answer !== null &&
      draft !== null &&
      answer.by === this.#options.me &&
      answer.id !== draft.seen &&
      answer.outcome === draft.outcome &&
      answer.instruction === draft.instruction.trim()
    );
  }

  /** What somebody else has answered since the draft was begun. */
  #conflict() {
    const latest = this.#draft && this.#alert ? latestAnswer(this.#alert) : null;
    if (!latest || latest.id === this.#draft.seen || this.#isMine(latest, this.#draft)) return null;
    return latest;
  }

  #typed() {
    if (!this.#draft) return;
    Object.assign(this.#draft, this.fields.typed());
    this.#keep();
  }

  #discard() {
    this.drafts.drop(keyOf(this.#alert));
    this.#draft = null;
    this.fields.show(null);
    setText(this.status, "The draft is discarded; nothing was sent.");
    this.#showState();
    this.fields.choices[0].input.focus();
    this.#options.onDraft();
  }

  #keep() {
    const isNew = !this.drafts.has(keyOf(this.#alert));
    this.drafts.set(keyOf(this.#alert), this.#draft);
    if (isNew) this.#options.onDraft();
  }

  #showState() {
    if (!this.#alert) return;
    const { fields, send, legend, form } = this.fields;
    const answered = answersOf(this.#alert).length > 0;
    fields.hidden = !this.#draft;
    send.disabled = this.#sending || this.#conflict() !== null;
    setText(legend, answered ? "Answer again" : "Answer");
    form.classList.toggle("again", answered && !this.#draft);
    this.container.classList.toggle("idle", !this.#draft);
    this.#showConflict(this.#conflict());
  }

  #showConflict(latest) {
    const said = latest?.id ?? "";
    if ((this.conflict.dataset.said ?? "") === said) return;
    this.conflict.dataset.said = said;
    this.conflict.hidden = !latest;
    this.conflict.replaceChildren(...(latest ? this.#conflictParts(latest) : []));
  }

  #conflictParts(latest) {
    const seen = () => {
      this.#draft.seen = latest.id;
      this.#keep();
      this.#showState();
      this.fields.reason.focus();
    };
    return [
      el(
        "p",
        {},
        el("span", { "aria-hidden": "true" }, "▲ "),
        `${latest.by ?? "Somebody"} has answered meanwhile, at ${momentOf(latest.at)}: `,
        el("strong", {}, ANSWER[latest.outcome]?.word ?? latest.outcome),
        ". Your answer was not sent.",
      ),
      el(
        "div",
        { class: "line buttons" },
        el("button", { type: "button", click: seen }, "I have seen it; answer again"),
        el("button", { type: "button", click: () => this.#discard() }, "Discard my answer"),
      ),
    ];
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
