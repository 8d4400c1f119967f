/* The verdict, made for a glance of half a second: a shape in one of three places, the word beside it,
   why, and below that what central says. The box has one size, whatever is in it. */

import { draw, el, printed, scrollable, whenSized } from "./dom.js";
import { PLACES, outline, shape, shapeOf } from "./shapes.js";
import { t, timeOf, until } from "./words.js";

const LONG_WORD = 12;
const LOOK_EVERY_MS = 5000; // at the minutes that are left

export class Verdict {
  #box = document.getElementById("verdict");
  #state = null;
  #lostSince = null;

  constructor() {
    setInterval(() => this.#show(), LOOK_EVERY_MS);
    whenSized(this.#box, () => this.#fit());
  }

  /** Shows what the desk found. */
  show(state) {
    this.#state = state;
    this.#show();
  }

  /** The daemon was heard last at this moment, or is heard (null). */
  lost(since) {
    this.#lostSince = since;
    this.#show();
  }

  #show() {
    const seen = this.#lostSince === null ? this.#state : lostSince(this.#lostSince);
    if (!seen) return;
    const wait = waiting(seen);
    draw(
      this.#box,
      [seen.state, seen.word, seen.lines_told, seen.beside, seen.certainty, seen.answer, wait, seen.faults],
      () => {
        const look = shapeOf(seen.state);
        this.#box.dataset.tone = look.tone;
        this.#box.dataset.state = seen.state;
        return [
          el(
            "div",
            { class: "places" },
            PLACES.map((place) =>
              el("div", { class: "place" }, place === look.place ? shape(seen.state) : outline(place)),
            ),
          ),
          el(
            "div",
            { class: "told" },
            el(
              "div",
              { class: "head" },
              el(
                "h1",
                { class: seen.word.length > LONG_WORD ? "word long" : "word", dir: "auto" },
                seen.word,
              ),
              certainty(seen),
            ),
            el("div", { class: "lines" }, reasons(seen)),
            said(seen.answer, wait),
          ),
        ];
      },
    );
    this.#fit();
  }

  #fit() {
    for (const box of this.#box.querySelectorAll(".lines, .central")) {
      scrollable(box, box.className === "lines" ? t("Why") : t("What central says"));
    }
  }
}

function lostSince(moment) {
  return {
    state: "lost",
    word: t("Not connected"),
    lines_told: [
      t("The desk was heard last at {time}. What stands here may be old.", { time: timeOf(moment, true) }),
      t("This page comes back by itself. Until then, nothing is checked that you can see."),
    ],
    beside: [],
    faults: [],
  };
}

function certainty(seen) {
  const words = { exact: t("exact"), possible: t("possible") }[seen.certainty];
  return words ? el("p", { class: "certainty" }, words) : null;
}

function reasons(seen) {
  return [
    ...(seen.lines_told ?? []).map((line) => el("p", { dir: "auto" }, line)),
    ...(seen.faults ?? []).map((line) => el("p", { class: "beside", dir: "auto" }, line)),
    ...(seen.beside ?? []).map((line) => el("p", { class: "beside", dir: "auto" }, line)),
  ];
}

function waiting(seen) {
  if (!seen.waiting || seen.answer) return null;
  const left = seen.alert?.answer_until ? until(seen.alert.answer_until) : null;
  if (!left) return [t("Central gave no answer in time.")];
  return seen.alert.sent ? [t("Waiting for central"), left] : [t("On its way to central")];
}

/** What central says, or that it is waited for. */
function said(answer, wait) {
  if (answer) {
    return el(
      "div",
      { class: "central" },
      el(
        "p",
        { class: "central-word" },
        t("Central: {answer}", { answer: answer.word }),
        " ",
        printed(timeOf(answer.at), { class: "at" }),
      ),
      answer.instruction ? el("p", { class: "instruction", dir: "auto" }, answer.instruction) : null,
    );
  }
  if (!wait) return null;
  return el("div", { class: "central" }, el("p", { class: "central-word" }, wait.join(" · ")));
}
