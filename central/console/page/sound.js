/* The sound of a new hit: once for each alert, in one tab only, and not again after a reload.

   Which tab sounds is settled by a lock of the browser that one tab at a time holds (Web Locks). A tab
   asks for it only when it could really sound: its audio is allowed, it is not muted and it is
   connected. When that ends it lets go, and the next tab takes over. The tabs tell one another over a
   channel who holds it, so that a tab that may not sound knows whether it has to say so. Ids of alerts
   that have sounded are remembered for all tabs. Alerts that arrive together, or while a sound is
   still on, share the next sound: a desk that comes back with a hundred does not ring for a minute. */

import { recall, remember } from "./memory.js";

const HEARD_MOST = 1000;
const SOUND_S = 0.7;
const TOGETHER_MS = 60;
const TUNES = { HIT: [880, 1320], POSSIBLE: [587, 587] };

export class Sound extends EventTarget {
  #context = null;
  #channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("borderpost.sound") : null;
  #letGo = null;
  #asking = null;
  #connected = false;
  #waiting = [];
  #until = 0;
  #timer = null;

  muted = recall("muted", false);
  /** Whether this tab is the one that sounds; whether another one is. */
  here = false;
  elsewhere = false;

  constructor() {
    super();
    this.#channel?.addEventListener("message", ({ data }) => this.#told(data));
    addEventListener("storage", ({ key }) => {
      if (key === "borderpost.muted") this.#setMuted(recall("muted", false));
    });
    for (const gesture of ["click", "keydown"])
      addEventListener(gesture, () => this.allow(), { passive: true });
    addEventListener("pagehide", () => this.here && this.#say("silent"));
    this.#say("who");
  }

  /** "muted", "on", "elsewhere", or "blocked" where the browser waits for a touch or a key. */
  get state() {
    if (this.muted) return "muted";
    if (this.here) return "on";
    if (this.elsewhere) return "elsewhere";
    return this.#context?.state === "running" ? "on" : "blocked";
  }

  /** Tries to be allowed to sound; a browser lets it only after a touch or a key. */
  async allow() {
    this.#context ??= this.#newContext();
    if (this.#context && this.#context.state !== "running") {
      this.#context.resume().then(
        () => this.#settle(),
        () => {},
      );
    }
    this.#settle();
  }

  set connected(connected) {
    this.#connected = connected;
    this.#settle();
  }

  toggle() {
    remember("muted", !this.muted);
    this.#setMuted(!this.muted);
    this.allow();
  }

  /** A sound on demand, so that the operator knows what to listen for. */
  try() {
    this.allow();
    if (this.#context?.state === "running") this.#play("HIT");
  }

  /** These alerts are there: those that never sounded, in any tab, sound now. */
  ring(alerts) {
    const heard = new Set(recall("heard", []));
    if (this.muted) keep(heard, alerts);
    if (!this.here) return;
    this.#waiting.push(...alerts.filter(({ key }) => !heard.has(key)));
    if (!this.#waiting.length) return;
    this.#timer ??= setTimeout(
      () => this.#sound(),
      Math.max(TOGETHER_MS, (this.#until - this.#time()) * 1000),
    );
  }

  #sound() {
    this.#timer = null;
    const heard = new Set(recall("heard", []));
    const fresh = this.#waiting.filter(({ key }) => !heard.has(key));
    this.#waiting = [];
    if (!fresh.length || !this.here) return;
    keep(heard, fresh);
    this.#play(fresh.some(({ outcome }) => outcome === "HIT") ? "HIT" : "POSSIBLE");
  }

  #play(tune) {
    const at = this.#context.currentTime;
    const tone = this.#context.createOscillator();
    const loudness = this.#context.createGain();
    const [low, high] = TUNES[tune];
    tone.type = "triangle";
    tone.frequency.setValueAtTime(low, at);
    tone.frequency.setValueAtTime(high, at + SOUND_S / 2);
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(0.5, at + 0.02);
    loudness.gain.setValueAtTime(0.5, at + SOUND_S - 0.2);
    loudness.gain.linearRampToValueAtTime(0, at + SOUND_S);
    tone.connect(loudness).connect(this.#context.destination);
    tone.start(at);
    tone.stop(at + SOUND_S);
    this.#until = at + SOUND_S;
  }

  #time() {
    return this.#context?.currentTime ?? 0;
  }

  #newContext() {
    if (!("AudioContext" in globalThis)) return null;
    const context = new AudioContext();
    context.addEventListener("statechange", () => this.#settle());
    return context;
  }

  #setMuted(muted) {
    this.muted = muted;
    this.#settle();
  }

  #settle() {
    const could = this.#connected && !this.muted && this.#context?.state === "running";
    if (could && !this.#asking && !this.here) this.#ask();
    if (!could) this.#giveUp();
    this.#changed();
  }

  #ask() {
    if (!navigator.locks) {
      this.#became(true);
      return;
    }
    this.#asking = new AbortController();
    navigator.locks
      .request("borderpost.sound", { signal: this.#asking.signal }, () => {
        this.#asking = null;
        this.#became(true);
        return new Promise((letGo) => {
          this.#letGo = letGo;
        });
      })
      .catch(() => {});
  }

  #giveUp() {
    this.#asking?.abort();
    this.#asking = null;
    this.#letGo?.();
    this.#letGo = null;
    if (this.here) this.#became(false);
  }

  #became(here) {
    this.here = here;
    this.elsewhere = false;
    this.#say(here ? "sounding" : "silent");
    this.#changed();
    if (here) this.dispatchEvent(new Event("sounding"));
  }

  #told(what) {
    if (what === "who" && this.here) this.#say("sounding");
    if (what === "sounding" && !this.here) this.elsewhere = true;
    if (what === "silent") this.elsewhere = false;
    this.#changed();
  }

  #say(what) {
    this.#channel?.postMessage(what);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Takes note that these need not sound any more. */
function keep(heard, alerts) {
  for (const { key } of alerts) heard.add(key);
  remember("heard", [...heard].slice(-HEARD_MOST));
}
