/* The outcome of a referral, in two touches: the first opens this sheet, the second says what was
   done. It is bound to its alert from the moment it opens, whatever is laid down meanwhile, and names
   the document that it is about. */

import { button, draw, el, printed } from "./dom.js";
import { Sheet } from "./sheet.js";
import { post } from "./wire.js";
import { actions, t, timeOf } from "./words.js";

/** Opens the sheet of one of the referrals that wait for their outcome. */
export function finish(state, alert) {
  const about = el("div", { class: "about" });
  const note = el("input", { id: "note", type: "text", maxlength: 280, autocomplete: "off" });
  const sheet = new Sheet(t("What was done?"), {
    low: true,
    name: "finishing",
    onState: (now, self) => {
      const one = now.pending?.find((pending) => pending.alert === alert);
      if (one) draw(about, one, () => told(one));
      else if (now.state !== "lost") self.close();
    },
  });
  const send = async (action) => {
    const body = { alert, action, note: note.value.trim() };
    if (await sheet.attempt(() => post("/kiosk/referral", body))) sheet.close();
  };
  const outcomes = Object.entries(actions()).map(([action, words]) =>
    button({ class: "outcome", "data-action": action, click: () => send(action) }, words),
  );
  sheet.body.append(
    about,
    el("div", { class: "outcomes" }, outcomes),
    el("div", { class: "note-row" }, el("label", { for: "note" }, t("Note, if one is needed")), note),
  );
  sheet.open(outcomes[0]);
}

/** One referral in a line: which State's, the end of its number, since when. */
export function named(one) {
  return [
    printed(`${one.issuer} …${one.number_end ?? ""}`, { class: "mono" }),
    " ",
    printed(timeOf(one.at), { class: "soft" }),
  ];
}

function told(one) {
  return [
    el("p", {}, one.kind_word, " ", named(one), one.drill ? el("span", { class: "tag" }, t("drill")) : null),
    one.answer
      ? el(
          "p",
          { class: "central-word" },
          t("Central: {answer}", { answer: one.answer.word }),
          one.answer.instruction ? el("span", { class: "instruction", dir: "auto" }, one.answer.instruction) : null,
        )
      : el("p", { class: "soft" }, one.waiting ? t("Central has not answered yet.") : t("Central gave no answer in time.")),
  ];
}
