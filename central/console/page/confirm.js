/* The last look before an answer leaves: the number once more, in large type, with what is about to be
   said about it. Enter sends, Esc goes back. A key that is still held down from before does nothing. */

import { el } from "./dom.js";
import { ANSWER, momentOf, nameOf, placeOf, stateOf } from "./words.js";
import { now } from "./clock.js";

/** Whether the operator wants to send it. */
export function confirmSending(alert, draft) {
  const told = ANSWER[draft.outcome];
  const before = document.activeElement;
  const send = el(
    "button",
    { type: "submit", class: `primary tone-fill-${told.tone}`, value: "send" },
    `Send: ${told.word.toLowerCase()} `,
    el("kbd", {}, "Enter"),
  );
  const back = el("button", { type: "button" }, "Go back ", el("kbd", {}, "Esc"));
  const dialog = el(
    "dialog",
    { class: `confirm tone-${told.tone}`, "aria-labelledby": "confirm-title" },
    el(
      "form",
      { method: "dialog" },
      el(
        "h2",
        { id: "confirm-title" },
        el("span", { "aria-hidden": "true" }, told.mark),
        ` ${told.word}`,
        el("span", { class: "soft" }, " – send this answer?"),
      ),
      el("p", { class: "big-number", translate: "no" }, alert.document.number),
      el(
        "p",
        {},
        stateOf(alert.document.issuer, alert.document.issuer_name),
        " · ",
        el("strong", {}, nameOf(alert.document)),
        " · ",
        placeOf(alert),
      ),
      el(
        "dl",
        { class: "facts" },
        row("Instruction", draft.instruction.trim() ? `“${draft.instruction.trim()}”` : "none"),
        row("Reason", draft.reason.trim()),
        row("Holds until", momentOf(new Date(now() + draft.hours * 3600000).toISOString())),
      ),
      el("div", { class: "line buttons" }, send, back),
    ),
  );
  return new Promise((resolve) => {
    back.addEventListener("click", () => dialog.close("back"));
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.repeat) event.preventDefault();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      before?.focus?.({ preventScroll: true });
      resolve(dialog.returnValue === "send");
    });
    document.body.append(dialog);
    dialog.showModal();
    send.focus();
  });
}

function row(name, value) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}
