/* The alerts that the page knows, by device and id: two devices may say the same id, and then they are
   two alerts. Whatever is heard of an alert is the whole of it and replaces what was there. The order
   for the operator is worked out anew from the server's clock each time it is asked for. */

import { now } from "./clock.js";

/** What names an alert. */
export function keyOf(alert) {
  return `${alert.device}/${alert.id}`;
}

/** Its answers, oldest first. */
export function answersOf(alert) {
  return [...(alert.answers ?? [])].sort((a, b) => a.at.localeCompare(b.at) || a.id.localeCompare(b.id));
}

/** The answer that counts, or null. */
export function latestAnswer(alert) {
  return answersOf(alert).at(-1) ?? null;
}

/** Milliseconds that are left to answer; null where nobody set a time. */
export function timeLeft(alert) {
  return alert.answer_until ? Date.parse(alert.answer_until) - now() : null;
}

/** Where an alert belongs in the queue. */
export function groupOf(alert) {
  const answer = latestAnswer(alert);
  if (answer) return answer.outcome === "need_more" ? "waiting" : "answered";
  if (alert.late) return "late";
  const left = timeLeft(alert);
  return left !== null && left <= 0 ? "overdue" : "open";
}

export const GROUPS = [
  { name: "overdue", title: "Overdue" },
  { name: "open", title: "To answer" },
  { name: "late", title: "Came late, to answer" },
  { name: "waiting", title: "Waiting for more" },
  { name: "answered", title: "Answered" },
];

const ORDER = {
  overdue: (a, b) => timeLeft(a) - timeLeft(b),
  open: (a, b) => (timeLeft(a) ?? Infinity) - (timeLeft(b) ?? Infinity) || newest(b, a),
  late: newest,
  waiting: answeredLast,
  answered: answeredLast,
};

export class Alerts extends EventTarget {
  #known = new Map();

  /** Takes in what the server says of an alert; says whether it was not known before. */
  put(alert) {
    const key = keyOf(alert);
    const isNew = !this.#known.has(key);
    this.#known.set(key, alert);
    this.dispatchEvent(new CustomEvent("change", { detail: alert }));
    return isNew;
  }

  get(key) {
    return this.#known.get(key) ?? null;
  }

  /** Forgets an alert. */
  drop(key) {
    this.#known.delete(key);
  }

  /** Every group with its alerts in the order in which they are to be looked at. */
  groups() {
    const of = new Map(GROUPS.map((group) => [group.name, []]));
    for (const alert of this.#known.values()) of.get(groupOf(alert)).push(alert);
    return GROUPS.map(({ name, title }) => ({ name, title, alerts: of.get(name).sort(ORDER[name]) }));
  }

  /** All of them in the queue's order. */
  inOrder() {
    return this.groups().flatMap((group) => group.alerts);
  }

  /** Those without an answer, in the queue's order. */
  open() {
    return this.groups()
      .slice(0, 3)
      .flatMap((group) => group.alerts);
  }

  /** Forgets answered alerts beyond the latest `most`, so that a page left open for weeks stays small. */
  trim(most, keep) {
    const answered = this.groups().find((group) => group.name === "answered").alerts;
    for (const alert of answered.slice(most)) {
      if (keyOf(alert) !== keep) this.#known.delete(keyOf(alert));
    }
  }
}

function newest(a, b) {
  return b.received_at.localeCompare(a.received_at);
}

function answeredLast(a, b) {
  return latestAnswer(b).at.localeCompare(latestAnswer(a).at);
}
