/* The queue at the left: one row for each alert, in groups, what is urgent on top. A row stays the same
   element for as long as its alert is shown, and the row with the focus is never moved, so nothing
   that arrives disturbs the operator's place. */

import { groupOf, keyOf, latestAnswer, timeLeft } from "./alerts.js";
import { arrange, el, setText } from "./dom.js";
import { ANSWER, OUTCOME, ago, countdown, nameOf, placeOf, plain } from "./words.js";

const SOON_MS = 60000;

export class Queue {
  #rows = new Map();
  #groups = new Map();
  #onChoose;
  #hasDraft;
  #isFresh;

  constructor(container, { onChoose, hasDraft, isFresh }) {
    this.container = container;
    this.#onChoose = onChoose;
    this.#hasDraft = hasDraft;
    this.#isFresh = isFresh;
    this.empty = el("p", { class: "empty" });
  }

  /** Shows the groups; `chosen` is the key of the alert in the detail. */
  show(groups, chosen, emptyText) {
    const shown = groups.filter((group) => group.alerts.length);
    const keep = new Set();
    const parts = shown.map((group) => {
      const { section, list, number } = this.#group(group);
      setText(number, String(group.alerts.length));
      arrange(
        list,
        group.alerts.map((alert) => {
          keep.add(keyOf(alert));
          return this.#row(alert, keyOf(alert) === chosen).item;
        }),
      );
      return section;
    });
    for (const key of this.#rows.keys()) if (!keep.has(key)) this.#rows.delete(key);
    if (!parts.some((part) => part.dataset.asks)) {
      setText(this.empty, emptyText);
      parts.unshift(this.empty);
    }
    arrange(this.container, parts);
  }

  /** Brings the times up to the second. */
  tick(alerts) {
    for (const alert of alerts) {
      const row = this.#rows.get(keyOf(alert));
      if (row) showTime(row, alert);
    }
  }

  /** Puts the focus on a row. */
  focus(key) {
    const row = this.#rows.get(key);
    row?.button.focus({ preventScroll: true });
    row?.button.scrollIntoView({ block: "nearest" });
  }

  #group({ name, title }) {
    let group = this.#groups.get(name);
    if (!group) {
      const number = el("span", { class: "number" });
      const heading = el("h2", { id: `group-${name}` }, `${title} `, number);
      const list = el("ol", { class: "rows", "aria-labelledby": `group-${name}` });
      const asks = ["overdue", "open", "late"].includes(name);
      const section = el(
        "div",
        { class: `group group-${name}`, "data-asks": asks ? "yes" : null },
        heading,
        list,
      );
      group = { section, list, number };
      this.#groups.set(name, group);
    }
    return group;
  }

  #row(alert, chosen) {
    const key = keyOf(alert);
    let row = this.#rows.get(key);
    if (!row) {
      row = { item: el("li"), time: el("span", { class: "time" }) };
      row.button = el("button", {
        type: "button",
        class: "row",
        "data-key": key,
        click: () => this.#onChoose(key),
      });
      row.item.append(row.button);
      this.#rows.set(key, row);
    }
    const draft = this.#hasDraft(key);
    const fresh = this.#isFresh(key);
    const group = groupOf(alert);
    if (row.alert !== alert || row.draft !== draft || row.fresh !== fresh || row.group !== group) {
      Object.assign(row, { alert, draft, fresh, group });
      row.button.className = `row tone-${OUTCOME[alert.outcome]?.tone ?? "soft"} in-${group}${fresh ? " fresh" : ""}`;
      row.button.replaceChildren(...contents(alert, row.time, { draft, fresh }));
    }
    showTime(row, alert);
    if (chosen) row.button.setAttribute("aria-current", "true");
    else row.button.removeAttribute("aria-current");
    return row;
  }
}

function contents(alert, time, { draft, fresh }) {
  const outcome = OUTCOME[alert.outcome] ?? { word: alert.outcome, mark: "◆" };
  const match = alert.matches[0];
  const status = match ? plain(match.status) : "";
  const { document } = alert;
  return [
    el(
      "span",
      { class: "row-top" },
      el("span", { class: "badge" }, el("span", { "aria-hidden": "true" }, outcome.mark), ` ${outcome.word}`),
      status ? el("span", { class: "soft" }, status) : null,
      fresh ? el("span", { class: "tag tag-new" }, "new") : null,
      draft ? el("span", { class: "tag" }, "draft") : null,
      time,
    ),
    el("span", { class: "row-number" }, el("span", { class: "code" }, document.issuer), " ", document.number),
    el("span", { class: "row-name" }, nameOf(document)),
    el("span", { class: "row-place soft" }, placeOf(alert), ...answerLine(alert)),
  ];
}

function answerLine(alert) {
  const answer = latestAnswer(alert);
  if (!answer) return [];
  const told = ANSWER[answer.outcome] ?? { word: answer.outcome, mark: "" };
  const held = answer.held_at;
  return [
    el(
      "span",
      { class: `answer tone-${told.tone}` },
      el("span", { "aria-hidden": "true" }, told.mark),
      ` ${told.word}`,
    ),
    el("span", { class: "held" }, held ? "the desk has it" : "on its way"),
  ];
}

function showTime(row, alert) {
  const group = groupOf(alert);
  const left = timeLeft(alert);
  let text = ago(latestAnswer(alert)?.at ?? alert.received_at);
  let tone = "";
  if (group === "overdue") {
    text = `${countdown(left)} overdue`;
    tone = "over";
  } else if (group === "late") {
    text = "late";
  } else if (group === "open") {
    text = left === null ? "no time set" : countdown(left);
    tone = left !== null && left < SOON_MS ? "soon" : "running";
  }
  setText(row.time, text);
  if (row.time.dataset.tone !== tone) row.time.dataset.tone = tone;
}
