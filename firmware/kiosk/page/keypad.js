/* Keys on the screen, for a desk without a keyboard: the 37 characters of an MRZ, those of a name, or
   digits alone. A
   key never takes the focus from the field that is typed into; with a keyboard nobody needs them, so
   they are not in the order of the Tab key. */

import { button, el } from "./dom.js";
import { t } from "./words.js";

const LETTERS = ["1234567890", "QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM"];
const DIGITS = ["123", "456", "789"];

/** Letters, digits and one character more. `onKey` is told a character, `left`, `right` or `back`; a `done` button, where
 *  there is one, stands at the end of all rows. */
export function letterKeys(onKey, { more = "<", done = null, moves = true } = {}) {
  const [digits, top, middle, bottom] = LETTERS;
  const rows = [digits, top, middle + more, bottom];
  const last = moves
    ? [
        key("◀", "left", onKey, t("To the left")),
        key("▶", "right", onKey, t("To the right")),
        key("⌫", "back", onKey, t("Delete")),
      ]
    : [];
  return el(
    "div",
    { class: done ? "keypad mrz-keys with-done" : "keypad mrz-keys", dir: "ltr" },
    rows.flatMap((row) => [...row].map((one) => key(one, one, onKey))),
    last,
    done,
  );
}

/** Ten digits, with what clears and what sends. */
export function digitKeys(onKey, done) {
  return el(
    "div",
    { class: "keypad digit-keys", dir: "ltr" },
    DIGITS.flatMap((row) => [...row].map((one) => key(one, one, onKey))),
    key("⌫", "back", onKey, t("Delete")),
    key("0", "0", onKey),
    done,
  );
}

/** Types a key into a field as if it had been typed there. */
export function typeInto(field, pressed) {
  const { selectionStart: from, selectionEnd: to, value } = field;
  if (pressed === "left" || pressed === "right") {
    const at = Math.max(0, Math.min(value.length, from + (pressed === "left" ? -1 : 1)));
    field.setSelectionRange(at, at);
  } else {
    const start = pressed === "back" && from === to ? Math.max(0, from - 1) : from;
    field.setRangeText(pressed === "back" ? "" : pressed, start, to, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  field.focus({ preventScroll: true });
}

function key(face, says, onKey, label = null) {
  return button(
    {
      class: "key",
      tabindex: "-1",
      "aria-label": label,
      translate: "no",
      pointerdown: (event) => event.preventDefault(),
      click: () => onKey(says),
    },
    face,
  );
}
