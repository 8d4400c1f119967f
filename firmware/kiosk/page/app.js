/* The officer's page. The daemon says what is on the desk, as one state, whenever something changes;
   every part draws itself from that state, and a touch only asks the daemon for something. Nothing is
   decided here, so a page that was closed, reloaded or lost comes back as it was. */

import { Bar } from "./bar.js";
import { heard } from "./clock.js";
import { correct } from "./correction.js";
import { DocumentFields } from "./document.js";
import { button, el, setText } from "./dom.js";
import { Drill } from "./drill.js";
import { showHealth } from "./health.js";
import { listenToKeys, showKeys } from "./keys.js";
import { Link } from "./link.js";
import { showLive } from "./live.js";
import { Lock, signIn } from "./lock.js";
import { recall } from "./memory.js";
import { openMenu } from "./menu.js";
import { Mrz, mayCorrect } from "./mrz.js";
import { finish } from "./referral.js";
import { closeSheet, showInSheet } from "./sheet.js";
import { Strip, TimeOfDay, showConditions } from "./strip.js";
import { typeIn } from "./typing.js";
import { Verdict } from "./verdict.js";
import { get, post, spoken } from "./wire.js";
import { speak, t } from "./words.js";

const AGAIN_MS = 500;
const NOTICE_MS = 6000;

class Page {
  #state = null;
  #link = new Link();
  #announced = null;
  #notice = el("p", { class: "notice", role: "status" });
  #officer = el("span", { class: "officer" });

  constructor() {
    const may = (intent) => this.#link.connected && this.#state?.may?.includes(intent);
    const pending = (shown) =>
      this.#state?.pending?.find((one) => one.shown === shown && (one.open || one.answer));
    this.todo = {
      typed: () => may("typed") && typeIn(this.#state),
      correct: () => this.#correct(),
      outcome: () => this.#finish(pending(true)?.alert),
      finish: (alert = pending(false)?.alert) => this.#finish(alert),
      live: () => may("live") && showLive(),
      next: () => may("next") && this.#goOn(pending(true)),
      blank: () => may("blank") && this.#ask("/kiosk/blank", { on: true }),
      conditions: () => this.#state && showConditions(this.#state),
      health: () => may("health") && showHealth(),
      menu: () => this.#state && openMenu(this.#state, this.todo),
      signIn: () => may("sign_in") && signIn(this.#state),
      keys: showKeys,
    };
    this.verdict = new Verdict();
    const fields = new DocumentFields();
    const mrz = new Mrz((line, position) => this.#correct(line, position));
    const bar = new Bar(this.todo);
    const drill = new Drill((message) => this.#tell(message));
    const lock = new Lock();
    this.strip = new Strip(this.todo.conditions);
    this.parts = [this.verdict, fields, mrz, bar, drill, lock, this.strip];
    const time = el("span", { class: "time" });
    document
      .getElementById("tools")
      .append(
        time,
        button(
          { class: "open-menu", click: this.todo.menu },
          el("span", {}, t("Menu"), this.#officer),
          el("kbd", {}, "F10"),
        ),
      );
    new TimeOfDay(time);
    document.body.append(this.#notice);
    listenToKeys(this.todo);
  }

  /** Shows `state` and whatever comes after it. */
  start(state) {
    this.#take(state);
    this.#link.addEventListener("state", ({ detail }) => this.#take(detail));
    this.#link.addEventListener("change", () => this.#connection());
    this.#link.start();
  }

  #take(state) {
    if (this.#state && this.#state.version !== state.version) location.reload(); // a newer page
    if (state.locked || state.state === "blank") closeSheet();
    heard(state.now);
    this.#state = state;
    this.#show();
    showInSheet(state);
    this.#announce(state);
  }

  #connection() {
    const { connected, lastHeard } = this.#link;
    document.body.classList.toggle("lost", !connected);
    this.verdict.lost(connected ? null : lastHeard);
    showInSheet(connected ? this.#state : null);
    this.#show();
    if (!connected) this.#say(t("Not connected"));
  }

  #show() {
    for (const part of this.parts) part.show(this.#state, this.#link.connected);
    setText(this.#officer, this.#state.officer?.name ?? "");
  }

  #correct(line = null, position = null) {
    if (this.#link.connected && mayCorrect(this.#state ?? {})) correct(this.#state, line, position);
  }

  #finish(alert) {
    if (this.#link.connected && alert) finish(this.#state, alert);
  }

  /** Done with the document, and with central's answer to it where there is one. */
  async #goOn(referral) {
    if (referral?.answer && !referral.open) await this.#ask("/kiosk/seen", { alert: referral.alert });
    await this.#ask("/kiosk/next", { capture: this.#state.capture });
  }

  async #ask(path, body) {
    try {
      await post(path, body);
    } catch (error) {
      this.#tell(error.message);
    }
  }

  /** Something that did not work, in words, for a while. */
  #tell(message) {
    setText(this.#notice, message);
    setTimeout(() => this.#notice.textContent === message && setText(this.#notice, ""), NOTICE_MS);
  }

  /** One sentence for a screen reader, at each verdict and each answer. */
  #announce(state) {
    const what = JSON.stringify([
      state.capture,
      state.state,
      state.answer?.at,
      state.pending?.map((one) => one.answer?.outcome),
    ]);
    if (what === this.#announced) return;
    const first = this.#announced === null;
    this.#announced = what;
    if (first || state.locked) return;
    const answer = state.answer ? t("Central: {answer}", { answer: state.answer.word }) : "";
    this.#say(
      [state.word, state.lines_told?.[0], answer, state.answer?.instruction].filter(Boolean).join(". "),
    );
  }

  #say(sentence) {
    setText(document.getElementById("announce"), sentence);
  }
}

/** The first state, and the words to say it in, asked for until the daemon gives them. */
async function firstState() {
  for (;;) {
    try {
      const state = await get(spoken("/kiosk/state", recall("language")));
      speak(state.lang, await get(`/words/${state.lang}.json`));
      return state;
    } catch {
      setText(document.getElementById("verdict"), t("The desk does not answer."));
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

const first = await firstState();
new Page().start(first);
