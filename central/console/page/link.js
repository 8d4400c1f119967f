/* The stream of events from the server, and whether it can be believed.

   The server says something at least every five seconds. Where nothing is heard for twelve, or the
   browser reports the connection broken, the link counts as lost: the page says so, and the stream is
   opened anew after growing pauses until it stands. The browser's own reconnection is not used, since
   it gives up for good at the first answer that is no stream. Each new connection names the last event
   that was heard, and whoever listens is told to fetch everything open once more; so whatever happened
   in between is there, by whichever way comes first. */

import { get, pathWith } from "./wire.js";
import * as clock from "./clock.js";

const SILENT_MS = 12000;
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];
const NAMES = ["hello", "ping", "alert", "answer", "escalated", "device"];

export class Link extends EventTarget {
  #source = null;
  #lastId = null;
  #heardAt = 0;
  #failures = 0;
  #retry = null;

  /** Whether the stream stands, and since when (by the server's clock): heard for the first time, or
   *  heard for the last time. */
  connected = false;
  since = null;

  start() {
    setInterval(() => this.#watch(), 1000);
    addEventListener("online", () => this.#open());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.connected) this.#open();
    });
    this.#open();
  }

  /** Opens the stream now instead of after the pause. */
  again() {
    this.#open();
  }

  #open() {
    clearTimeout(this.#retry);
    this.#source?.close();
    const source = new EventSource(pathWith("/console/events", { last: this.#lastId }));
    this.#source = source;
    this.#heardAt = performance.now();
    for (const name of NAMES) {
      source.addEventListener(name, (event) => source === this.#source && this.#heard(name, event));
    }
    source.onerror = () => source === this.#source && this.#lost();
  }

  #heard(name, event) {
    this.#heardAt = performance.now();
    if (event.lastEventId) this.#lastId = event.lastEventId;
    let said;
    try {
      said = JSON.parse(event.data);
    } catch {
      return;
    }
    if (said.now) clock.heard(said.now);
    if (!this.connected) {
      this.#failures = 0;
      this.#become(true);
    }
    this.dispatchEvent(new CustomEvent(name, { detail: said }));
  }

  #watch() {
    const silent = performance.now() - this.#heardAt;
    if (this.#source && silent > SILENT_MS) this.#lost();
  }

  #lost() {
    this.#source?.close();
    this.#source = null;
    if (this.connected || this.since === null) this.#become(false, performance.now() - this.#heardAt);
    const pause = PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)];
    this.#failures += 1;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#open(), pause);
    // A stream does not say why it was refused; this tells a session that has ended.
    get("/console/me").catch(() => {});
  }

  #become(connected, agoMs = 0) {
    this.connected = connected;
    this.since = clock.now() - agoMs;
    this.dispatchEvent(new Event("change"));
  }
}
