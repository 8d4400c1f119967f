/* What covers the page: the lock, until an officer signs in by PIN or badge, and the blank screen.
   Documents are checked all the same, and the strip goes on saying how the desk is. */

import { button, draw, el, setText } from "./dom.js";
import { digitKeys, letterKeys, typeInto } from "./keypad.js";
import { Sheet } from "./sheet.js";
import { post } from "./wire.js";
import { t } from "./words.js";

export class Lock {
  #box = document.getElementById("lock");
  #covers = [document.getElementById("desk"), document.getElementById("bar")];

  show(state) {
    const blank = state.state === "blank";
    const kind = blank ? "blank" : state.locked ? state.sign_in : null;
    document.body.dataset.cover = kind ?? "";
    this.#box.setAttribute("aria-label", blank ? t("Blank screen") : t("Locked"));
    this.#box.hidden = kind === null;
    for (const covered of this.#covers) covered.inert = kind !== null;
    const drawn = draw(this.#box, kind, () => {
      if (kind === null) return [];
      return blank ? blanked() : form(kind, t("Locked"));
    });
    if (drawn && kind) this.#box.querySelector("input, button").focus();
    const said = this.#box.querySelector(".error");
    if (said && state.refused) setText(said, state.refused.message); // a badge that was scanned
    const drilling = this.#box.querySelector(".locked-drill");
    if (drilling)
      setText(drilling, state.drill?.state === "running" ? `${t("Drill")}: ${state.drill.task}` : "");
  }
}

/** Opens the same form on a page that is not locked. */
export function signIn(state) {
  const sheet = new Sheet(t("Sign in"), {
    name: "signing-in",
    onState: (now) => now.officer && sheet.close(),
  });
  const fields = form(state.sign_in, null);
  sheet.body.append(fields);
  sheet.open(fields.querySelector("input"));
}

function blanked() {
  const uncover = () => post("/kiosk/blank", { on: false }).catch(() => {});
  return button(
    { class: "blanked", click: uncover, keydown: uncover },
    t("The screen is blank. Touch it, or press a key."),
  );
}

function form(kind, title) {
  const byPin = kind === "pin";
  const error = el("p", { class: "error", role: "alert" });
  const name = byPin ? field("name", "text") : null;
  const secret = field("secret", "password");
  const fields = [name, secret].filter(Boolean);
  let typing = fields[0];
  for (const one of fields) one.addEventListener("focus", () => (typing = one));
  const done = button({ class: "primary key done", type: "submit", tabindex: "-1" }, t("Enter"));
  const keys = byPin
    ? letterKeys((pressed) => typeInto(typing, pressed.toLowerCase()), { more: ".", done })
    : digitKeys((pressed) => typeInto(secret, pressed), done);
  const send = async (event) => {
    event.preventDefault();
    if (name && document.activeElement === name && !secret.value) {
      secret.focus();
      return;
    }
    const body = { name: name?.value ?? "", secret: secret.value };
    secret.value = "";
    setText(error, "");
    try {
      await post("/kiosk/sign-in", body);
    } catch (problem) {
      setText(error, problem.message);
    }
    secret.focus();
  };
  return el(
    "form",
    { class: byPin ? "sign-in by-pin" : "sign-in", novalidate: true, submit: send },
    el(
      "div",
      { class: "sign-in-said" },
      el("p", { class: "locked-drill", dir: "auto" }),
      title ? el("h2", {}, title) : null,
      el(
        "p",
        {},
        byPin
          ? t("Sign in with your name and PIN.")
          : t("Sign in with your badge: scan it, or type its number."),
      ),
      el("p", { class: "soft" }, t("Documents go on being checked meanwhile.")),
      error,
    ),
    el(
      "div",
      { class: "sign-in-fields" },
      name ? el("div", {}, el("label", { for: "name" }, t("Name")), name) : null,
      el("div", {}, el("label", { for: "secret" }, byPin ? t("PIN") : t("Badge number")), secret),
    ),
    keys,
  );
}

function field(id, type) {
  return el("input", {
    id,
    type,
    inputmode: "none",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    dir: "ltr",
  });
}
