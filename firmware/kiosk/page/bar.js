/* What can be done, each thing always in its place: typing, correcting and the live picture at the
   start, referrals that wait for their outcome in the middle, and at the end the one thing that is
   most likely next. */

import { button, draw, el } from "./dom.js";
import { mayCorrect } from "./mrz.js";
import { named } from "./referral.js";
import { t } from "./words.js";

const CHIPS = 2;

export class Bar {
  #tasks = el("div", { class: "tasks" });
  #pending = el("div", { class: "pending" });
  #next = el("div", { class: "next" });
  #do;

  /** `todo`: what each button does, by name. */
  constructor(todo) {
    this.#do = todo;
    document.getElementById("bar").append(this.#tasks, this.#pending, this.#next);
  }

  show(state, connected) {
    const may = (intent) => connected && Boolean(state.may?.includes(intent));
    const able = { typed: may("typed"), correct: connected && mayCorrect(state), live: may("live") };
    draw(this.#tasks, able, () => [
      this.#button("typed", t("Type"), "F2", able.typed),
      this.#button("correct", t("Correct"), "F3", able.correct),
      this.#button("live", t("Picture"), "F7", able.live),
    ]);
    const waiting = (state.pending ?? []).filter((one) => !one.shown && (one.open || one.answer));
    draw(this.#pending, [waiting, connected], () => this.#chips(waiting, connected));
    const next = nextOf(state, may, able);
    draw(this.#next, next, () => this.#button(next.name, next.label, next.key, next.able, "primary"));
  }

  #button(name, label, key, able, sort = "task") {
    return button(
      {
        class: sort,
        "data-key": sort === "primary" ? "next" : name,
        "data-do": name,
        disabled: !able,
        click: () => this.#do[name](),
      },
      label,
      el("kbd", {}, key),
    );
  }

  #chips(waiting, connected) {
    if (!waiting.length) return [];
    const chip = (one) =>
      button(
        {
          class: one.answer ? "chip answered" : "chip",
          "data-key": one.alert,
          disabled: !connected,
          click: () => this.#do.finish(one.alert),
        },
        el("span", { class: "chip-name" }, named(one)),
        el(
          "span",
          { class: "chip-said" },
          one.answer ? t("Central: {answer}", { answer: one.answer.word }) : one.kind_word,
        ),
      );
    const more = waiting.length - CHIPS;
    return [
      el("h2", { class: "for-ears" }, t("Referrals that wait")),
      ...waiting.slice(0, CHIPS).map(chip),
      more > 0
        ? button(
            {
              class: "chip more",
              "data-key": "more",
              disabled: !connected,
              click: () => this.#do.finish(waiting[CHIPS].alert),
            },
            t("+{n} more", { n: more }),
          )
        : null,
    ];
  }
}

function nextOf(state, may, able) {
  const shown = state.pending?.find((one) => one.shown && one.open);
  if (shown)
    return { name: "outcome", label: t("Outcome…"), key: "F4", able: may("referral"), alert: shown.alert };
  if (state.state === "read_again") {
    return able.correct
      ? { name: "correct", label: t("Correct it"), key: "F3", able: true }
      : { name: "typed", label: t("Type it in"), key: "F2", able: able.typed };
  }
  return { name: "next", label: t("Next"), key: "F8", able: may("next") && state.state !== "ready" };
}
