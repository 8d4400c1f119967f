/* The cards of an alert: the document, what it matched, what else was raised about it, and everything
   that has happened. Each is made from the alert alone. */

import { answersOf, keyOf } from "./alerts.js";
import { el, setText } from "./dom.js";
import {
  ACTION,
  ANSWER,
  ASKED_AS,
  ENTERED,
  HEALTH,
  KIND,
  ageOf,
  ago,
  capital,
  count,
  dateOf,
  isOver,
  momentOf,
  plain,
  span,
  spoken,
  stateOf,
} from "./words.js";

/** The document, spelled out. */
export function documentCard(document, entered) {
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
      fact(
        "Given names",
        el("span", { class: "name", translate: "no" }, document.given_names || "–"),
        document.name_truncated ? "perhaps cut short as printed" : null,
      ),
      fact("Nationality", stateOf(document.nationality, document.nationality_name)),
      fact("Born", dateOf(document.birth_date), age ? `${age} years old` : null),
      fact("Sex", { F: "female (F)", M: "male (M)", X: "unspecified (X)" }[document.sex] ?? "not given"),
      fact("Expires", dateOf(document.expiry_date), isOver(document.expiry_date) ? "expired" : null),
      fact("Document", `${document.code}, ${document.format}`),
      ENTERED[entered] ? fact("Entered", ENTERED[entered]) : null,
    ),
  );
}

/** What it matched, and how old the lists were. */
export function matchCard(alert) {
  const lists = new Map(alert.lists.map((list) => [list.name, list]));
  const parts = alert.matches.map((match) => matched(match, lists.get(match.list)));
  if (!parts.length) parts.push(el("p", {}, "No record: central answered about this document before."));
  if (alert.matches_left_out)
    parts.push(
      el(
        "p",
        { class: "soft" },
        `${count(alert.matches_left_out, "further match", "further matches")} did not fit into the message.`,
      ),
    );
  const others = alert.lists.filter((list) => !alert.matches.some((match) => match.list === list.name));
  if (others.length) {
    parts.push(
      el(
        "p",
        { class: "soft" },
        `Also asked, without a match: ${others.map((list) => `${list.name} (${ageOfList(list)})`).join(", ")}.`,
      ),
    );
  }
  return el("section", { class: "card", "aria-label": "Match" }, el("h3", {}, "Match"), parts);
}

function matched(match, list) {
  const exact = match.certainty === "exact";
  return el(
    "div",
    { class: `match tone-${exact ? "hit" : "possible"}` },
    el(
      "p",
      { class: "match-title" },
      el("strong", {}, exact ? "Exact match" : "Possible match"),
      match.why ? `: ${match.why}` : "",
    ),
    el(
      "dl",
      { class: "facts" },
      fact("Recorded as", `${plain(match.status)} ${plain(match.kind, KIND)}`),
      fact(
        "Record of",
        match.recorded ? dateOf(match.recorded) : "no date given",
        match.recorded ? ago(`${match.recorded}T00:00:00Z`) : null,
      ),
      fact("List", list ? `${match.list}, version ${list.version ?? "unknown"}` : match.list),
      fact(
        "List's age",
        list ? ageOfList(list) : "unknown",
        list && list.health !== "ok" ? plain(list.health, HEALTH) : null,
      ),
      fact("Asked as", plain(match.asked_as, ASKED_AS)),
    ),
  );
}

/** Everything that has happened, in its order. */
export function courseCard(alert) {
  const steps = [
    [alert.captured_at, alert.entered === "read" ? "Read at the desk" : "Entered at the desk", null],
    [
      alert.received_at,
      "Arrived at central",
      alert.late
        ? `late: ${span((Date.parse(alert.received_at) - Date.parse(alert.captured_at)) / 1000)} after it was read`
        : null,
    ],
    [alert.escalated_at, "Nobody had answered in time", "escalated to the supervisor"],
    [alert.seen_at, "The supervisor took note", null],
    ...answersOf(alert).flatMap((answer) => [
      [
        answer.at,
        `${ANSWER[answer.outcome]?.word ?? answer.outcome}, by ${answer.by ?? "somebody at the command line"}`,
        answerNotes(answer),
      ],
      [answer.held_at, "The desk has the answer", null],
    ]),
    ...alert.outcomes.map((outcome) => [
      outcome.at,
      plain(outcome.action, ACTION),
      [outcome.officer ? `reported by ${outcome.officer}` : "reported by the officer", outcome.note]
        .filter(Boolean)
        .join(": "),
    ]),
  ];
  const told = steps.filter(([at]) => at).sort(([a], [b]) => Date.parse(a) - Date.parse(b));
  const course = el(
    "ol",
    { class: "course" },
    told.map(([at, what, notes]) =>
      el(
        "li",
        {},
        el("time", { datetime: at, title: at }, momentOf(at)),
        el(
          "div",
          {},
          el("span", { class: "what" }, what),
          ...[notes]
            .flat()
            .filter(Boolean)
            .map((note) => (note instanceof Node ? note : el("p", { class: "soft" }, note))),
        ),
      ),
    ),
  );
  return el(
    "section",
    { class: "card", "aria-label": "What happened" },
    el("h3", {}, "What happened"),
    course,
  );
}

/** What else was raised about the document; `onEarlier` is given one of them to show, or is null. */
export function earlierCard(alert, onEarlier) {
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
        return el(
          "li",
          {},
          onEarlier
            ? el(
                "button",
                {
                  type: "button",
                  class: "link",
                  "data-key": `earlier ${keyOf(other)}`,
                  click: () => onEarlier(other),
                },
                text,
              )
            : text,
        );
      }),
    ),
  );
}

function answerNotes(answer) {
  return [
    answer.reason ? `Reason: ${answer.reason}` : null,
    answer.instruction
      ? el("p", { class: "said" }, el("span", { class: "soft" }, "Instruction: "), `“${answer.instruction}”`)
      : null,
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

/** A name and what stands behind it, for a list of facts. */
export function fact(name, value, note = null) {
  return el(
    "div",
    {},
    el("dt", {}, name),
    el("dd", {}, value, note ? el("span", { class: "note" }, note) : null),
  );
}

function ageOfList(list) {
  if (list.age_s === null || list.age_s === undefined) return "age unknown";
  return `${span(list.age_s)} old`;
}
