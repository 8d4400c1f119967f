/* One alert spelled out: what an operator needs to ask the country that owns the record, on one screen.
   It is drawn anew only when something about the alert has changed, since drawing it would undo a
   selection; the times on it are brought up to the second one by one. */

import { answersOf, groupOf, timeLeft } from "./alerts.js";
import { courseCard, documentCard, earlierCard, matchCard } from "./cards.js";
import { el, replaceKeepingFocus, setText } from "./dom.js";
import { ANSWER, KIND, OUTCOME, capital, countdown, momentOf, placeOf, plain } from "./words.js";

export class Detail {
  #said = "";
  #ticking = [];
  #options;

  /** `onEarlier` is given the key of an earlier alert to show; `onSeen` the alert whose escalation is
   *  taken note of, and is null where this user may not. */
  constructor(container, options = {}) {
    this.container = container;
    this.#options = options;
  }

  show(alert) {
    const said = alert ? JSON.stringify([alert, groupOf(alert)]) : "";
    if (said !== this.#said) {
      this.#said = said;
      this.#ticking = [];
      replaceKeepingFocus(this.container, ...(alert ? this.#parts(alert) : []));
    }
    this.tick();
  }

  /** Brings the times up to the second. */
  tick() {
    for (const [node, text] of this.#ticking) setText(node, text());
  }

  #parts(alert) {
    return [
      this.#head(alert),
      escalation(alert, this.#options.onSeen),
      documentCard(alert.document, alert.entered),
      matchCard(alert),
      earlierCard(alert, this.#options.onEarlier),
      courseCard(alert),
    ];
  }

  #ticks(tag, attributes, text) {
    const node = el(tag, attributes, text());
    this.#ticking.push([node, text]);
    return node;
  }

  #head(alert) {
    const outcome = OUTCOME[alert.outcome] ?? { word: alert.outcome, mark: "◆", tone: "soft" };
    const match = alert.matches[0];
    const title = match
      ? `${capital(plain(match.status))} ${plain(match.kind, KIND)}`
      : capital(plain(alert.document.kind, KIND));
    return el(
      "header",
      { class: `detail-head tone-${outcome.tone}` },
      el("p", { class: "badge" }, el("span", { "aria-hidden": "true" }, outcome.mark), ` ${outcome.word}`),
      el(
        "div",
        { class: "detail-title" },
        el("h2", { tabindex: "-1", class: "title", "data-key": "title" }, title),
        el("p", { class: "place" }, placeOf(alert), el("span", { class: "soft" }, ` · ${alert.device}`)),
      ),
      this.#clock(alert),
    );
  }

  #clock(alert) {
    const group = groupOf(alert);
    const left = () => timeLeft(alert);
    if (group === "open" && left() !== null) {
      return el(
        "p",
        { class: "clock" },
        this.#ticks("span", { class: "clock-time" }, () => countdown(left())),
        el("span", { class: "soft" }, `left, until ${momentOf(alert.answer_until)}`),
      );
    }
    if (group === "overdue") {
      return el(
        "p",
        { class: "clock over" },
        this.#ticks("span", { class: "clock-time" }, () => countdown(left())),
        el("span", {}, `overdue since ${momentOf(alert.answer_until)}`),
      );
    }
    if (group === "late") {
      return el(
        "p",
        { class: "clock" },
        el("span", { class: "clock-time" }, "Late"),
        el("span", { class: "soft" }, "nobody waits at the desk any more"),
      );
    }
    if (group === "open")
      return el("p", { class: "clock" }, el("span", { class: "soft" }, "no time set to answer"));
    const answer = answersOf(alert).at(-1);
    const told = ANSWER[answer.outcome] ?? { word: answer.outcome, mark: "", tone: "soft" };
    return el(
      "p",
      { class: `clock tone-${told.tone}` },
      el("span", { class: "clock-word" }, el("span", { "aria-hidden": "true" }, told.mark), ` ${told.word}`),
      el(
        "span",
        { class: answer.held_at ? "" : "soft" },
        answer.held_at ? "the desk has it" : "on its way to the desk",
      ),
    );
  }
}

function escalation(alert, onSeen) {
  if (!alert.escalated_at) return null;
  if (alert.seen_at) return null;
  const seen = onSeen
    ? el(
        "button",
        { type: "button", "data-key": "seen", click: () => onSeen(alert) },
        "Take note ",
        el("kbd", {}, "e"),
      )
    : null;
  return el(
    "div",
    { class: "notice over" },
    el(
      "p",
      {},
      el("span", { "aria-hidden": "true" }, "▲ "),
      `Nobody answered in time. Escalated to the supervisor at ${momentOf(alert.escalated_at)}.`,
    ),
    seen,
  );
}
