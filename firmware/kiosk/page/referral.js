/* The outcome of a referral, in two touches: the first opens this sheet, the second says what was
   done. It is bound to its alert from the moment it opens, whatever is laid down meanwhile, and names
   the document that it is about. */

import { button, draw, el, printed } from "./dom.js";
import { Sheet } from "./sheet.js";
import { post } from "./wire.js";
import { actions, t, timeOf } from "./words.js";

/** Opens the sheet of a referral: one that waits for its outcome, or one to which central has answered
 *  after it had one. */
export function finish(state, alert) {
  const about = el("div", { class: "about" });
  const rest = el("div", { class: "finish" });
  const note = el("input", { id: "note", type: "text", maxlength: 280, autocomplete: "off" });
  const find = (now) => now.pending?.find((pending) => pending.alert === alert);
  const sheet = new Sheet(find(state).open ? t("What was done?") : t("Central has answered"), {
    low: true,
    name: "finishing",
    onState: (now, self) => {
      const one = find(now);
      if (!one) {
        if (now.state !== "lost") self.close();
        return;
      }
      draw(about, one, () => told(one, ask));
      draw(rest, one.open, () => (one.open ? outcomes(note, ask) : seen(ask)));
    },
  });
  const ask = async (path, body = {}) => {
    if (await sheet.attempt(() => post(path, { alert, ...body }))) sheet.close();
  };
  sheet.body.append(about, rest);
  sheet.open();
  rest.querySelector("button").focus();
}

function outcomes(note, ask) {
  const choices = Object.entries(actions()).map(([action, words]) =>
    button(
      {
        class: "outcome",
        "data-action": action,
        click: () => ask("/kiosk/referral", { action, note: note.value.trim() }),
      },
      words,
    ),
  );
  return [
    el("div", { class: "outcomes" }, choices),
    el("div", { class: "note-row" }, el("label", { for: "note" }, t("Note, if one is needed")), note),
  ];
}

function seen(ask) {
  return button({ class: "outcome primary", click: () => ask("/kiosk/seen") }, t("I have read it"));
}

/** One referral in a line: which State's, the end of its number, since when. */
export function named(one) {
  return [
    printed(`${one.issuer} …${one.number_end ?? ""}`, { class: "mono" }),
    " ",
    printed(timeOf(one.at), { class: "soft" }),
  ];
}

function told(one, ask) {
  return [
    el(
      "div",
      { class: "line" },
      el(
        "p",
        { class: "kind-word" },
        one.kind_word,
        " ",
        named(one),
        one.drill ? el("span", { class: "tag" }, t("drill")) : null,
      ),
      one.shown
        ? null
        : button({ "data-key": "look", click: () => ask("/kiosk/look") }, t("Show the document")),
    ),
    one.answer ? answered(one.answer) : el("p", { class: "soft" }, waits(one)),
  ];
}

function answered(answer) {
  return el(
    "p",
    { class: "central-word" },
    t("Central: {answer}", { answer: answer.word }),
    answer.instruction ? el("span", { class: "instruction", dir: "auto" }, answer.instruction) : null,
  );
}

function waits(one) {
  return one.waiting ? t("Central has not answered yet.") : t("Central gave no answer in time.");
}
