/* Telling the operator without taking anything out of his hands: the number of open alerts in the
   tab's title, a bar for what has arrived while he was busy with something else, and one sentence for
   a screen reader. None of it moves the focus. */

import { keyOf, timeLeft } from "./alerts.js";
import { setText } from "./dom.js";
import { OUTCOME, count, nameOf, placeOf, span, stateOf } from "./words.js";

const TITLE = "Borderpost central";

export class Announcer {
  #region = document.getElementById("announce");
  #bar = document.getElementById("arrived");
  #fresh = new Set();

  constructor(onOpen) {
    this.#bar.addEventListener("click", onOpen);
  }

  /** Whether an alert arrived and was not looked at yet. */
  isFresh(key) {
    return this.#fresh.has(key);
  }

  /** The alert has been looked at. */
  seen(key) {
    this.#fresh.delete(key);
  }

  /** Only these can still be new. */
  keepOnly(keys) {
    for (const key of this.#fresh) if (!keys.has(key)) this.#fresh.delete(key);
  }

  /** Says that these alerts have arrived, in one sentence. */
  arrived(alerts) {
    if (!alerts.length) return;
    for (const alert of alerts) this.#fresh.add(keyOf(alert));
    const said =
      alerts.length === 1
        ? sentence(alerts[0])
        : `${count(alerts.length, "new alert")}. First: ${sentence(alerts[0])}`;
    setText(this.#region, said);
  }

  /** Brings title and bar up to date; `busy` says that the queue is not in sight. */
  show(open, connected, busy) {
    const number = open ? `(${open}) ` : "";
    const title = connected ? `${number}${TITLE}` : `⚠ Not connected · ${number}${TITLE}`;
    if (document.title !== title) document.title = title;
    const fresh = this.#fresh.size;
    this.#bar.hidden = !fresh || !busy;
    setText(this.#bar, fresh ? `${count(fresh, "new alert")} – show` : "");
  }
}

function sentence(alert) {
  const { document } = alert;
  const left = timeLeft(alert);
  return [
    OUTCOME[alert.outcome]?.word ?? alert.outcome,
    `${stateOf(document.issuer, document.issuer_name)} ${document.number}`,
    nameOf(document),
    placeOf(alert),
    left === null ? "" : left > 0 ? `${span(left / 1000)} left` : "overdue",
  ]
    .filter(Boolean)
    .join(", ");
}
