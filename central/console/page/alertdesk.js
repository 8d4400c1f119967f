/* The section of live alerts: the queue, the alert that is chosen, and its answer, kept together.

   Which alert is shown is the operator's choice alone. Only where none is chosen, the most urgent one
   is put into the detail by itself, without touching the focus. */

import { Alerts, answersOf, groupOf, keyOf } from "./alerts.js";
import { AnswerForm } from "./answer.js";
import { Detail } from "./detail.js";
import { Drafts } from "./drafts.js";
import { Queue } from "./queue.js";
import { alertPath, get, post } from "./wire.js";

const ANSWERED_KEPT = 60;
const PAGES_MOST = 10;
const TOGETHER_MS = 50;

export class AlertDesk extends EventTarget {
  #chosen = null;
  #syncing = null;
  #held = [];
  #changes = new Map();
  #arrived = [];
  #shownAt = -Infinity;
  #showing = null;
  #may;

  constructor(me, announcer) {
    super();
    this.#may = new Set(me.may);
    this.announcer = announcer;
    this.alerts = new Alerts();
    this.drafts = new Drafts(me.name);
    this.queue = new Queue(document.getElementById("queue"), {
      onChoose: (key) => this.choose(key, { open: true }),
      hasDraft: (key) => this.drafts.has(key),
      isFresh: (key) => announcer.isFresh(key),
    });
    this.detail = new Detail(document.getElementById("detail"), {
      onEarlier: (other) => this.open(other),
      onSeen: this.#may.has("escalations") ? (alert) => this.takeNote(alert) : null,
    });
    this.form = new AnswerForm(document.getElementById("answer"), this.drafts, {
      me: me.name,
      fetching: (alert, asking) => this.fetched(keyOf(alert), asking),
      onDraft: () => this.show(),
      onSent: () => this.#afterSending(),
    });
    document.getElementById("to-queue").addEventListener("click", () => this.leave());
  }

  /** Everything that is open, and what was answered lately. What is heard meanwhile waits until then,
   *  so that an older picture never replaces a newer one. Gives the alerts that were not known. */
  async sync() {
    if (this.#syncing) return this.#syncing;
    this.#syncing = this.#fetchAll().finally(() => {
      this.#syncing = null;
      for (const alert of this.#held.splice(0)) this.take(alert);
    });
    return this.#syncing;
  }

  /** What was asked for about an alert, taken in unless the stream has said something about it in the
   *  meantime: that is newer than the answer to the question, or what is newer still follows it. */
  async fetched(key, asking) {
    const before = this.#changes.get(key);
    const said = await asking;
    if (this.#changes.get(key) === before) this.take(said);
    return said;
  }

  /** The same; where it fails, that is said beside the alert that is shown. */
  async #asked(alert, asking) {
    try {
      return await this.fetched(keyOf(alert), asking);
    } catch (error) {
      this.form.tell(error.message);
      return null;
    }
  }

  /** Takes in what the server says of an alert. */
  take(alert) {
    this.#changes.set(keyOf(alert), (this.#changes.get(keyOf(alert)) ?? 0) + 1);
    if (this.#syncing) {
      this.#held.push(alert);
      return;
    }
    const isNew = this.alerts.put(alert);
    this.alerts.trim(ANSWERED_KEPT, this.#chosen);
    if (isNew && !answersOf(alert).length) this.#arrived.push(alert);
    this.#showSoon();
  }

  get chosen() {
    return this.#chosen ? this.alerts.get(this.#chosen) : null;
  }

  /** Shows an alert. `open`: on a small screen, in the place of the queue. */
  choose(key, { open = false } = {}) {
    this.#chosen = key;
    this.announcer.seen(key);
    this.show();
    document.getElementById("pane").scrollTop = 0;
    this.dispatchEvent(new CustomEvent("chosen", { detail: { key, open } }));
  }

  /** Shows an alert that may not be in the queue. */
  async open(other) {
    const known = this.alerts.get(keyOf(other));
    if (!known && !(await this.#asked(other, get(alertPath(other))))) return;
    this.choose(keyOf(other), { open: true });
    this.readTop();
  }

  /** One further in the queue, or one back. */
  step(by) {
    const order = this.alerts.inOrder();
    if (!order.length) return false;
    const at = order.findIndex((alert) => keyOf(alert) === this.#chosen);
    const next = order[at < 0 ? 0 : Math.min(order.length - 1, Math.max(0, at + by))];
    this.choose(keyOf(next));
    this.queue.focus(keyOf(next));
    return true;
  }

  /** The alert that is most urgent. */
  mostUrgent() {
    const [first] = this.alerts.open();
    if (!first) return false;
    this.choose(keyOf(first), { open: true });
    this.queue.focus(keyOf(first));
    return true;
  }

  /** Puts the focus at the top of what is shown. */
  readTop() {
    const title = document.querySelector("#detail .title");
    title?.focus();
    return Boolean(title);
  }

  /** Back to the queue. */
  leave() {
    this.dispatchEvent(new Event("left"));
    if (this.#chosen) this.queue.focus(this.#chosen);
    return true;
  }

  /** A supervisor takes note of an escalation. */
  async takeNote(alert) {
    await this.#asked(alert, post(alertPath(alert, "/seen")));
  }

  show() {
    clearTimeout(this.#showing);
    this.#showing = null;
    this.#shownAt = performance.now();
    const arrived = this.#arrived.splice(0);
    if (arrived.length) this.dispatchEvent(new CustomEvent("arrived", { detail: arrived }));
    if (!this.chosen) this.#chooseByItself();
    const groups = this.alerts.groups();
    const answered = groups.find((group) => group.name === "answered");
    this.queue.show(groups, this.#chosen, answered.alerts.length ? "Nothing to answer." : "No alerts.");
    const alert = this.chosen;
    this.detail.show(alert);
    this.form.show(this.#may.has("answer") ? alert : null);
    document.getElementById("nothing").hidden = alert !== null;
    this.dispatchEvent(new Event("change"));
  }

  /** A second has passed. */
  tick() {
    const moved = [...document.querySelectorAll(".group-open .row")].some((row) => {
      const alert = this.alerts.get(row.dataset.key);
      return alert && groupOf(alert) !== "open";
    });
    if (moved) this.show();
    this.queue.tick(this.alerts.inOrder());
    this.detail.tick();
  }

  /** At once, or with whatever else comes within a moment: a desk that has been away for weeks may
   *  bring a thousand alerts in a second. */
  #showSoon() {
    if (this.#showing !== null) return;
    const pause = Math.max(0, this.#shownAt + TOGETHER_MS - performance.now());
    if (pause) this.#showing = setTimeout(() => this.show(), pause);
    else this.show();
  }

  #chooseByItself() {
    const [first] = this.alerts.open();
    this.#chosen = first ? keyOf(first) : null;
    if (first && document.getElementById("detail").checkVisibility()) this.announcer.seen(this.#chosen);
  }

  #afterSending() {
    this.queue.focus(this.#chosen);
  }

  async #fetchAll() {
    const fresh = [];
    const heard = new Set();
    for (const [state, pages] of [
      ["open", PAGES_MOST],
      ["answered", 1],
    ]) {
      let before = null;
      for (let page = 0; page < pages; page += 1) {
        const said = await get("/console/alerts", { state, limit: 100, before });
        for (const alert of said.alerts) {
          heard.add(keyOf(alert));
          if (this.alerts.put(alert) && !answersOf(alert).length) fresh.push(alert);
        }
        before = said.next;
        if (!before) break;
      }
    }
    await this.#askAfter(this.alerts.open().filter((alert) => !heard.has(keyOf(alert))));
    this.show();
    return fresh;
  }

  /** These were open here and are so no longer at central: answered long ago, or removed. */
  async #askAfter(vanished) {
    for (const alert of vanished) {
      try {
        this.alerts.put(await get(alertPath(alert)));
      } catch (error) {
        if (error.status !== 404) throw error;
        this.alerts.drop(keyOf(alert));
      }
    }
  }
}
