/* The stream of events from the daemon, and whether it can be believed.

   The daemon says something twice a second. Where nothing is heard for a second and a half, or the
   browser reports the connection broken, it counts as lost: the page says so, which is then within two
   seconds, and the stream is opened anew twice a second until it stands. A stream that is opening has
   the same second and a half. The browser's own reconnection is not used: its pauses are its own. */

import * as clock from "./clock.js";
import { spoken } from "./wire.js";

const SILENT_MS = 1500;
const LOOK_EVERY_MS = 200;
const AGAIN_MS = 500;

export class Link extends EventTarget {
  #source = null;
  #heardAt = 0;
  #again = null;

  /** Whether the daemon is heard, and when it was heard last, in milliseconds of its own clock. */
  connected = true;
  lastHeard = 0;

  /** From when the daemon has just given its state. */
  start() {
    this.lastHeard = clock.now();
    setInterval(() => this.#look(), LOOK_EVERY_MS);
    document.addEventListener("visibilitychange", () => !document.hidden && this.#look());
    this.#open();
  }

  #open() {
    clearTimeout(this.#again);
    const source = new EventSource(spoken("/kiosk/events"));
    this.#source = source;
    this.#heardAt = performance.now();
    for (const name of ["state", "beat"]) {
      source.addEventListener(name, (event) => source === this.#source && this.#heard(name, event.data));
    }
    source.onerror = () => source === this.#source && this.#lose();
  }

  #heard(name, data) {
    this.#heardAt = performance.now();
    this.lastHeard = clock.now();
    if (name === "state") {
      const state = JSON.parse(data);
      this.#become(true);
      this.dispatchEvent(new CustomEvent("state", { detail: state }));
    }
  }

  #look() {
    if (this.#source && performance.now() - this.#heardAt > SILENT_MS) this.#lose();
  }

  #lose() {
    this.#source?.close();
    this.#source = null;
    this.#become(false);
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#open(), AGAIN_MS);
  }

  #become(connected) {
    if (this.connected === connected) return;
    this.connected = connected;
    this.dispatchEvent(new Event("change"));
  }
}
