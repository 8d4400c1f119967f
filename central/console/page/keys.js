/* The keyboard: one table for what the keys do, for the help that is shown, and for the page in docs
   that a test compares with it.

   Single letters are not heard while something is typed, nor together with Ctrl or Alt, nor in a
   dialog; and they can be switched off altogether, for those who speak to their computer (WCAG 2.1.4). */

import { el } from "./dom.js";
import { recall, remember } from "./memory.js";

export const KEYS = [
  { press: ["j", "ArrowDown"], told: "j or ↓", does: "next", what: "Next alert" },
  { press: ["k", "ArrowUp"], told: "k or ↑", does: "previous", what: "Alert before" },
  { press: ["o"], told: "o", does: "urgent", what: "The alert that is most urgent" },
  { press: ["Enter"], told: "Enter", does: "enter", what: "Read the alert from its top" },
  { press: ["c"], told: "c", does: "confirmed", what: "Answer: confirmed" },
  { press: ["n"], told: "n", does: "not_confirmed", what: "Answer: not confirmed" },
  { press: ["m"], told: "m", does: "need_more", what: "Answer: need more" },
  { press: ["Ctrl+Enter"], told: "Ctrl Enter", does: "send", what: "Send the answer, after a last look" },
  { press: ["Escape"], told: "Esc", does: "back", what: "Back to the queue; a draft is kept" },
  { press: ["y"], told: "y", does: "copy", what: "Copy the document's number" },
  { press: ["e"], told: "e", does: "seen", what: "Take note of an escalation (supervisor)" },
  { press: ["s"], told: "s", does: "sound", what: "Sound on or off" },
  {
    press: ["1", "2", "3", "4", "5"],
    told: "1 to 5",
    does: "section",
    what: "Alerts, devices, history, trends, audit",
  },
  { press: ["/"], told: "/", does: "search", what: "Search the history" },
  { press: ["?"], told: "?", does: "help", what: "Show these keys" },
];

const ACTION_OF = new Map(KEYS.flatMap(({ press, does }) => press.map((key) => [key, does])));
const WHILE_TYPING = new Set(["send", "back"]);
const ON_CONTROLS = new Set(["enter"]);
const LIST_KEYS = new Set(["ArrowDown", "ArrowUp"]);

/** Listens to the keys; `actions` has a function for each thing that a key does, which says whether it
 *  did anything. */
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    const action = actionOf(event);
    if (action && actions[action]?.(event.key)) event.preventDefault();
  });
}

/** Shows the keys in a dialog. */
export function showHelp() {
  if (document.querySelector("dialog[open]")) return;
  const letters = el("input", {
    type: "checkbox",
    id: "letters",
    change: () => remember("letters", letters.checked),
  });
  letters.checked = recall("letters", true);
  const close = el("button", { type: "submit", class: "primary" }, "Close ", el("kbd", {}, "Esc"));
  const dialog = el(
    "dialog",
    { class: "help", "aria-labelledby": "help-title" },
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: "help-title" }, "Keys"),
      el(
        "table",
        {},
        el(
          "tbody",
          {},
          KEYS.map(({ told, what }) =>
            el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, told)), el("td", {}, what)),
          ),
        ),
      ),
      el(
        "p",
        { class: "line" },
        letters,
        el("label", { for: "letters" }, "Keys of a single letter, digit or sign"),
      ),
      el("div", { class: "line buttons" }, close),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}

function actionOf(event) {
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return null;
  if (event.altKey) return null;
  const control = event.ctrlKey || event.metaKey;
  const action = ACTION_OF.get(control ? `Ctrl+${event.key}` : event.key);
  if (!action) return null;
  if (isTyping(event.target)) return WHILE_TYPING.has(action) ? action : null;
  if (ON_CONTROLS.has(action) && isControl(event.target) && !event.target.closest(".row")) return null;
  if (LIST_KEYS.has(event.key) && !isInList(event.target)) return null;
  if (event.key.length === 1 && !recall("letters", true)) return null;
  if (event.repeat && action !== "next" && action !== "previous") return null;
  return action;
}

/** Whether a letter would go into the field: of inputs, only those that take text. */
function isTyping(target) {
  if (target instanceof HTMLInputElement)
    return !["checkbox", "radio", "button", "submit"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

function isControl(target) {
  return target.closest?.("a, button, input, summary, select, textarea") !== null;
}

/** The arrows move through the queue, unless something else there needs them or the reader scrolls. */
function isInList(target) {
  return target === document.body || target.closest?.(".queue") != null;
}
