/* What is always on screen: the age of each list, the link to central, alerts that wait for it, the
   camera and the scanner. What is well has a full dot; what is not, a hollow diamond and its word. A
   touch opens the same in full, with what else is at fault. */

import { now } from "./clock.js";
import { draw, el, printed } from "./dom.js";
import { Sheet } from "./sheet.js";
import { t, timeOf } from "./words.js";

export class Strip {
  #box = document.getElementById("conditions");

  /** `onOpen` is called where the strip is touched. */
  constructor(onOpen) {
    this.#box.addEventListener("click", onOpen);
  }

  show(state, connected) {
    this.#box.setAttribute("aria-label", t("The desk's condition"));
    const conditions = connected ? all(state) : [[t("This page"), t("not connected"), false]];
    draw(this.#box, conditions, () => conditions.map(condition));
  }
}

/** Opens the strip in full. */
export function showConditions(state) {
  const sheet = new Sheet(t("The desk's condition"), { name: "conditions-sheet" });
  const faults = (state.faults ?? []).map((line) => el("li", { class: "finding-line", dir: "auto" }, line));
  sheet.body.append(el("dl", { class: "in-full" }, all(state).map(inFull)), el("ul", {}, faults));
  sheet.open();
}

function inFull([name, value, well, , reason]) {
  return el(
    "div",
    { class: well ? null : "unwell" },
    el("dt", {}, name),
    el("dd", { class: "value", dir: "auto" }, dot(), value),
    reason ? el("dd", { class: "reason", dir: "auto" }, reason) : null,
  );
}

/** The time of day, by the daemon's clock. */
export class TimeOfDay {
  constructor(node) {
    this.node = node;
    setInterval(() => this.show(), 1000);
    this.show();
  }

  show() {
    const time = timeOf(now());
    if (this.node.textContent !== time) this.node.textContent = time;
  }
}

function all(state) {
  return [
    ...state.lists.map((list) => [list.name, ageOf(list), list.health === "ok", "printed", list.reason]),
    [t("Link"), state.link.word, state.link.up],
    [t("Queued"), String(state.link.queued), state.link.up || state.link.queued === 0],
    ...state.sources.map((source) => [
      source.name,
      source.ok ? t("OK") : source.message || t("not in order"),
      source.ok,
      "printed",
    ]),
    state.clock?.word ? [t("Clock"), state.clock.word, false] : null,
    state.lists.length ? null : [t("Lists"), t("none"), false],
  ].filter(Boolean);
}

function ageOf(list) {
  const age = list.age_words ? `${list.age_is_lower_bound ? "≥ " : ""}${list.age_words}` : t("no age");
  const { done, total } = list.updating ?? {};
  const loading = total ? ` ↓ ${Math.floor((done / total) * 100)} %` : "";
  return list.health === "ok" ? age + loading : `${list.age_words ? `${age} · ` : ""}${list.word}${loading}`;
}

function condition([name, value, well, sort]) {
  return el(
    "li",
    { class: well ? "condition" : "condition unwell", title: value },
    el("span", { class: "of" }, sort === "printed" ? printed(name) : name),
    el("span", { class: "value", dir: "auto" }, dot(), value),
  );
}

function dot() {
  return el("span", { class: "dot", "aria-hidden": "true" });
}
