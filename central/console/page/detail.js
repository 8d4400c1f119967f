/* One alert spelled out: what an operator needs to ask the country that owns the record, on one screen.
   It is drawn anew only when something about the alert has changed, since drawing it would undo a
   selection; the times on it are brought up to the second one by one. */

import { answersOf, groupOf, keyOf, timeLeft } from "./alerts.js";
import { el, replaceKeepingFocus, setText } from "./dom.js";
import {
  ACTION, ANSWER, ASKED_AS, HEALTH, KIND, OUTCOME,
  ageOf, ago, count, countdown, dateOf, isOver, momentOf, placeOf, plain, span, spoken, stateOf,
} from "./words.js";

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
      this.#documentCard(alert.document),
      el("section", { class: "card", "aria-label": "Match" }, el("h3", {}, "Match"), ...this.#matches(alert)),
      this.#earlier(alert),
      el("section", { class: "card", "aria-label": "What happened" }, el("h3", {}, "What happened"), this.#course(alert)),
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
      el("div", { class: "detail-title" }, el("h2", { tabindex: "-1", class: "title", "data-key": "title" }, title), el("p", { class: "place" }, placeOf(alert), el("span", { class: "soft" }, ` · ${alert.device}`))),
      this.#clock(alert),
    );
  }

  #clock(alert) {
    const group = groupOf(alert);
    const left = () => timeLeft(alert);
    if (group === "open" && left() !== null) {
      return el("p", { class: "clock" }, this.#ticks("span", { class: "clock-time" }, () => countdown(left())), el("span", { class: "soft" }, `left, until ${momentOf(alert.answer_until)}`));
    }
    if (group === "overdue") {
      return el("p", { class: "clock over" }, this.#ticks("span", { class: "clock-time" }, () => countdown(left())), el("span", {}, `overdue since ${momentOf(alert.answer_until)}`));
    }
    if (group === "late") {
      return el("p", { class: "clock" }, el("span", { class: "clock-time" }, "Late"), el("span", { class: "soft" }, "nobody waits at the desk any more"));
    }
    if (group === "open") return el("p", { class: "clock" }, el("span", { class: "soft" }, "no time set to answer"));
    const answer = answersOf(alert).at(-1);
    const told = ANSWER[answer.outcome] ?? { word: answer.outcome, mark: "", tone: "soft" };
    return el("p", { class: `clock tone-${told.tone}` }, el("span", { class: "clock-word" }, el("span", { "aria-hidden": "true" }, told.mark), ` ${told.word}`), el("span", { class: answer.held_at ? "" : "soft" }, answer.held_at ? "the desk has it" : "on its way to the desk"));
  }

  #documentCard(document) {
    const age = ageOf(document.birth_date);
    return el(
      "section",
      { class: "card document", "aria-label": "Document" },
      el(
        "div",
        { class: "number-line" },
        el("span", { class: "soft" }, `${capital(plain(document.kind, KIND))} number`),
        el("p", { class: "big-number", translate: "no" }, document.number),
        copyButton(document.number),
      ),
      el("p", { class: "spoken soft", "aria-hidden": "true" }, spoken(document.number)),
      el(
        "dl",
        { class: "facts" },
        fact("Issued by", stateOf(document.issuer, document.issuer_name)),
        fact("Surname", el("span", { class: "name", translate: "no" }, document.surname || "–")),
        fact("Given names", el("span", { class: "name", translate: "no" }, document.given_names || "–"), document.name_truncated ? "perhaps cut short as printed" : null),
        fact("Nationality", stateOf(document.nationality, document.nationality_name)),
        fact("Born", dateOf(document.birth_date), age ? `${age} years old` : null),
        fact("Sex", { F: "female (F)", M: "male (M)", X: "unspecified (X)" }[document.sex] ?? "not given"),
        fact("Expires", dateOf(document.expiry_date), isOver(document.expiry_date) ? "expired" : null),
        fact("Document", `${document.code}, ${document.format}`),
      ),
    );
  }

  #matches(alert) {
    const lists = new Map(alert.lists.map((list) => [list.name, list]));
    const parts = alert.matches.map((match) => this.#match(match, lists.get(match.list)));
    if (!parts.length) parts.push(el("p", {}, "No record: central answered about this document before."));
    if (alert.matches_left_out) parts.push(el("p", { class: "soft" }, `${count(alert.matches_left_out, "further match", "further matches")} did not fit into the message.`));
    const others = alert.lists.filter((list) => !alert.matches.some((match) => match.list === list.name));
    if (others.length) {
      parts.push(el("p", { class: "soft" }, `Also asked, without a match: ${others.map((list) => `${list.name} (${ageOfList(list)})`).join(", ")}.`));
    }
    return parts;
  }

  #match(match, list) {
    const exact = match.certainty === "exact";
    return el(
      "div",
      { class: `match tone-${exact ? "hit" : "possible"}` },
      el("p", { class: "match-title" }, el("strong", {}, exact ? "Exact match" : "Possible match"), match.why ? `: ${match.why}` : ""),
      el(
        "dl",
        { class: "facts" },
        fact("Recorded as", `${plain(match.status)} ${plain(match.kind, KIND)}`),
        fact("Record of", match.recorded ? dateOf(match.recorded) : "no date given", match.recorded ? ago(`${match.recorded}T00:00:00Z`) : null),
        fact("List", list ? `${match.list}, version ${list.version ?? "unknown"}` : match.list),
        fact("List's age", list ? ageOfList(list) : "unknown", list && list.health !== "ok" ? plain(list.health, HEALTH) : null),
        fact("Asked as", plain(match.asked_as, ASKED_AS)),
      ),
    );
  }

  #course(alert) {
    const steps = [
      [alert.captured_at, "Read at the desk", null],
      [alert.received_at, "Arrived at central", alert.late ? `late: ${span((Date.parse(alert.received_at) - Date.parse(alert.captured_at)) / 1000)} after it was read` : null],
      [alert.escalated_at, "Nobody had answered in time", "escalated to the supervisor"],
      [alert.seen_at, "The supervisor took note", null],
      ...answersOf(alert).flatMap((answer) => [
        [answer.at, `${ANSWER[answer.outcome]?.word ?? answer.outcome}, by ${answer.by ?? "somebody at the command line"}`, answerNotes(answer)],
        [answer.held_at, "The desk has the answer", null],
      ]),
      ...alert.outcomes.map((outcome) => [outcome.at, plain(outcome.action, ACTION), [outcome.officer ? `reported by ${outcome.officer}` : "reported by the officer", outcome.note].filter(Boolean).join(": ")]),
    ];
    const told = steps.filter(([at]) => at).sort(([a], [b]) => Date.parse(a) - Date.parse(b));
    return el(
      "ol",
      { class: "course" },
      told.map(([at, what, notes]) =>
        el("li", {}, el("time", { datetime: at, title: at }, momentOf(at)), el("div", {}, el("span", { class: "what" }, what), ...[notes].flat().filter(Boolean).map((note) => (note instanceof Node ? note : el("p", { class: "soft" }, note))))),
      ),
    );
  }

  #earlier(alert) {
    if (!alert.earlier?.length) return el("p", { class: "soft" }, "No other alert on this document.");
    return el(
      "section",
      { class: "card", "aria-label": "Other alerts on this document" },
      el("h3", {}, "Other alerts on this document"),
      el(
        "ul",
        { class: "earlier" },
        alert.earlier.map((other) => {
          const told = other.answer ? (ANSWER[other.answer]?.word ?? other.answer) : "not answered";
          const text = `${momentOf(other.received_at)}, ${other.device}: ${told.toLowerCase()}`;
          const { onEarlier } = this.#options;
          return el("li", {}, onEarlier ? el("button", { type: "button", class: "link", "data-key": `earlier ${keyOf(other)}`, click: () => onEarlier(other) }, text) : text);
        }),
      ),
    );
  }
}

function escalation(alert, onSeen) {
  if (!alert.escalated_at) return null;
  if (alert.seen_at) return null;
  const seen = onSeen ? el("button", { type: "button", "data-key": "seen", click: () => onSeen(alert) }, "Take note ", el("kbd", {}, "e")) : null;
  return el("div", { class: "notice over" }, el("p", {}, el("span", { "aria-hidden": "true" }, "▲ "), `Nobody answered in time. Escalated to the supervisor at ${momentOf(alert.escalated_at)}.`), seen);
}

function answerNotes(answer) {
  return [
    answer.reason ? `Reason: ${answer.reason}` : null,
    answer.instruction ? el("p", { class: "said" }, el("span", { class: "soft" }, "Instruction: "), `“${answer.instruction}”`) : null,
    `Holds until ${momentOf(answer.until)}`,
  ];
}

function copyButton(number) {
  const button = el("button", { type: "button", class: "small copy", "data-key": "copy" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(number);
      setText(button, "Copied");
    } catch {
      const range = window.document.createRange();
      range.selectNodeContents(button.previousElementSibling);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      setText(button, "Selected");
    }
    setTimeout(() => setText(button, "Copy"), 2000);
  });
  return button;
}

function fact(name, value, note = null) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value, note ? el("span", { class: "note" }, note) : null));
}

function ageOfList(list) {
  if (list.age_s === null || list.age_s === undefined) return "age unknown";
  return `${span(list.age_s)} old`;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
