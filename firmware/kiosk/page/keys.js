/* Everything by keyboard alone: a function key for each thing that can be done, since letters and
   digits belong to what is typed or scanned. */

import { el } from "./dom.js";
import { Sheet } from "./sheet.js";
import { t } from "./words.js";

const KEYS = {
  F1: "keys",
  F2: "typed",
  F3: "correct",
  F4: "outcome",
  F6: "finish",
  F7: "live",
  F8: "next",
  F9: "blank",
  F10: "menu",
};

/** Listens to the function keys; `todo`: what each does, by name. */
export function listenToKeys(todo) {
  addEventListener("keydown", (event) => {
    const name = KEYS[event.key];
    if (!name || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!event.repeat) todo[name]();
  });
}

/** Opens the list of keys. */
export function showKeys() {
  const words = {
    keys: t("These keys"),
    typed: t("Type a document in"),
    correct: t("Correct a character"),
    outcome: t("Outcome of the referral on screen"),
    finish: t("The next referral that waits"),
    live: t("What the camera sees"),
    next: t("Next document"),
    blank: t("Blank the screen"),
    menu: t("Menu"),
  };
  const row = (key, word) => el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, key)), el("td", {}, word));
  const sheet = new Sheet(t("Keys"), { name: "keys" });
  sheet.body.append(
    el(
      "table",
      {},
      el(
        "tbody",
        {},
        Object.entries(KEYS).map(([key, name]) => row(key, words[name])),
        row("Esc", t("Close what is open")),
      ),
    ),
  );
  sheet.open();
}
