/* The MRZ: the picture of each line right above what was read of it, character under character, so
   that a glance compares them. A doubtful character stands in a dashed frame, a check digit that does
   not hold in a full one. A touch on or near a character asks to correct it. */

import { draw, el } from "./dom.js";
import { t } from "./words.js";

const NEAR = 1.6;

export class Mrz {
  #box = document.getElementById("mrz");
  #onCorrect;
  #state = null;

  /** `onCorrect(line, position)` is called where a character is touched. */
  constructor(onCorrect) {
    this.#onCorrect = onCorrect;
    this.#box.addEventListener("click", (event) => this.#touched(event));
  }

  show(state) {
    this.#state = state;
    const lines = state.mrz ?? [];
    const touchable = mayCorrect(state);
    draw(
      this.#box,
      [lines, state.picture, touchable, state.state === "hold_still", state.drill?.printed],
      () => {
        this.#box.dataset.lines = lines.length;
        this.#box.classList.toggle("touchable", touchable);
        if (!lines.length) return [empty(state)];
        return [
          el("h2", { class: "for-ears" }, summary(lines)),
          ...lines.map((line, at) => row(state, line, at)),
        ];
      },
    );
  }

  #touched(event) {
    if (!mayCorrect(this.#state ?? {})) return;
    const row = event.target.closest(".mrz-line");
    if (!row) return;
    const cells = row.querySelector(".cells").getBoundingClientRect();
    const line = this.#state.mrz[Number(row.dataset.line)];
    const at = ((event.clientX - cells.left) / cells.width) * line.text.length;
    if (at < 0 || at >= line.text.length) return;
    const marked = [...line.doubtful.map((one) => one.position), ...line.wrong];
    const near = marked.sort((a, b) => Math.abs(a + 0.5 - at) - Math.abs(b + 0.5 - at))[0];
    const chosen = near !== undefined && Math.abs(near + 0.5 - at) <= NEAR ? near : Math.floor(at);
    this.#onCorrect(Number(row.dataset.line), chosen);
  }
}

/** Whether what is shown can be corrected. */
export function mayCorrect(state) {
  return Boolean(state.may?.includes("correct") && state.mrz?.length);
}

/** The doubtful characters first, then the check digits that do not hold, as line and position. */
export function marked(lines) {
  const places = (kind) => (line, at) =>
    line[kind].map((one) => ({ line: at, position: one.position ?? one }));
  return [...lines.flatMap(places("doubtful")), ...lines.flatMap(places("wrong"))];
}

/** The cells of a line from `from` to `to`, each in its frame where it is doubtful or wrong. */
export function cells(line, from = 0, to = line.text.length) {
  const doubtful = new Set(line.doubtful.map((one) => one.position));
  const wrong = new Set(line.wrong);
  return [...line.text].slice(from, to).map((character, at) => {
    const position = from + at;
    const sort = doubtful.has(position) ? "doubtful" : wrong.has(position) ? "wrong" : null;
    return el("span", { class: sort ? `cell ${sort}` : "cell" }, character);
  });
}

/** The band of the picture in which a line stands. */
export function band(state, at, attributes = {}) {
  if (!state.picture) return null;
  return el(
    "div",
    { class: "band", "--at": at, "--of": state.mrz.length, ...attributes },
    el("img", { src: state.picture, alt: at ? "" : t("The MRZ as the camera sees it"), draggable: "false" }),
  );
}

function row(state, line, at) {
  return el(
    "div",
    { class: "mrz-line", "data-line": at, "--n": line.text.length, dir: "ltr", translate: "no" },
    band(state, at),
    el("div", { class: "cells" }, cells(line)),
  );
}

function summary(lines) {
  const doubtful = lines.reduce((sum, line) => sum + line.doubtful.length, 0);
  const wrong = lines.reduce((sum, line) => sum + line.wrong.length, 0);
  return [
    t("The lines of the MRZ."),
    doubtful ? t("Doubtful characters: {n}.", { n: doubtful }) : null,
    wrong ? t("Check digits that do not hold: {n}.", { n: wrong }) : null,
  ]
    .filter(Boolean)
    .join(" ");
}

function empty(state) {
  if (state.state === "hold_still") return null;
  const printed = state.drill?.printed ?? [];
  if (printed.length) {
    return el(
      "div",
      { class: "mrz-printed", dir: "ltr", translate: "no" },
      printed.map((line) => el("p", {}, line)),
    );
  }
  return el("p", { class: "mrz-empty" }, t("The lines of the MRZ stand here, below their picture."));
}
