/* Correcting one character: enlarged below its picture, with what else it may be. The touch of a
   character sends it and the document is checked again at once, as corrected; where others are still
   doubtful the sheet goes on to the next. */

import { button, draw, el, printed } from "./dom.js";
import { letterKeys } from "./keypad.js";
import { band, cells, marked } from "./mrz.js";
import { Sheet } from "./sheet.js";
import { post } from "./wire.js";
import { t } from "./words.js";

const AROUND = 5;

/** Opens the sheet at a character; without one, at the first that is doubtful or wrong. */
export function correct(state, line = null, position = null) {
  const first = marked(state.mrz)[0] ?? { line: 0, position: 0 };
  new Correction(state, line === null ? first : { line, position }).open();
}

class Correction {
  #sheet;
  #state;
  #at;
  #sent = false;
  #window = el("div", { class: "zoom", dir: "ltr" });
  #place = el("p", { class: "zoom-place", "aria-live": "polite" });
  #perhaps = el("div", { class: "perhaps" });

  constructor(state, at) {
    this.#state = state;
    this.#at = at;
    this.#sheet = new Sheet(t("Correct a character"), {
      name: "correcting",
      onState: (now) => this.#hear(now),
    });
    const step = (by, face, label) =>
      button({ class: "step", "aria-label": label, click: () => this.#step(by) }, face);
    this.#sheet.body.append(
      el(
        "div",
        { class: "zoom-row", dir: "ltr" },
        step(-1, "◀", t("To the left")),
        this.#window,
        step(1, "▶", t("To the right")),
      ),
      el("div", { class: "zoom-said" }, this.#place, this.#perhaps),
      letterKeys((character) => this.#send(character), { moves: false }),
    );
    this.#sheet.body.addEventListener("keydown", (event) => this.#key(event));
  }

  open() {
    this.#show();
    this.#sheet.open(this.#perhaps.querySelector("button") ?? this.#sheet.body.querySelector(".step"));
  }

  #line() {
    return this.#state.mrz[this.#at.line];
  }

  #show() {
    const { line, position } = this.#at;
    const told = this.#line();
    const doubt = told.doubtful.find((one) => one.position === position);
    const candidates = (doubt?.candidates ?? []).map(([character]) => character);
    draw(this.#window, [this.#state.mrz, this.#state.picture, this.#at], () =>
      el(
        "div",
        { class: "mrz-line", "--n": told.text.length, "--shift": position - AROUND, translate: "no" },
        band(this.#state, line),
        el("div", { class: "cells" }, cells(told)),
      ),
    );
    this.#window.querySelectorAll(".cell")[position].classList.add("current");
    this.#place.textContent = t("Line {line}, character {position}: read as {character}", {
      line: line + 1,
      position: position + 1,
      character: told.text[position],
    });
    draw(this.#perhaps, [this.#at, candidates], () => [
      candidates.length ? el("span", { class: "soft" }, t("Perhaps:")) : null,
      ...candidates.map((character) =>
        button(
          { class: "candidate", "data-key": character, click: () => this.#send(character) },
          printed(character),
        ),
      ),
    ]);
  }

  #step(by) {
    const { line, position } = this.#at;
    const width = this.#line().text.length;
    const next = position + by;
    if (next >= 0 && next < width) this.#at = { line, position: next };
    else if (this.#state.mrz[line + by]) {
      this.#at = { line: line + by, position: by > 0 ? 0 : this.#state.mrz[line + by].text.length - 1 };
    }
    this.#show();
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const character = event.key.toUpperCase();
    if (event.key === "ArrowLeft" || event.key === "ArrowRight")
      this.#step(event.key === "ArrowLeft" ? -1 : 1);
    else if (/^[A-Z0-9<]$/.test(character)) this.#send(character);
    else return;
    event.preventDefault();
  }

  async #send(character) {
    if (this.#sent) return;
    this.#sent = true;
    const { line, position } = this.#at;
    const body = { capture: this.#state.capture, line, position, character };
    if (!(await this.#sheet.attempt(() => post("/kiosk/correct", body)))) this.#sent = false;
  }

  /** The corrected document comes back as any state does; another document ends the sheet. */
  #hear(state) {
    if (state.capture === this.#state.capture || ["hold_still", "lost"].includes(state.state)) return;
    const more = state.entered === "corrected" && this.#sent ? marked(state.mrz ?? []) : [];
    this.#sent = false;
    if (!more.length) {
      this.#sheet.close();
      return;
    }
    this.#state = state;
    this.#at = more[0];
    this.#show();
  }
}
