/* What covers the page: the lock, until an officer signs in by PIN or badge, and the blank screen.
   Documents are checked all the same, and the strip goes on saying how the desk is. */

import { button, draw, el } from "./dom.js";
import { digitKeys, typeInto } from "./keypad.js";
import { post } from "./wire.js";
import { t } from "./words.js";

export class Lock {
  #box = document.getElementById("lock");
  #covers = [document.getElementById("desk"), document.getElementById("bar"), document.getElementById("drill")];

  show(state) {
    const blank = state.state === "blank";
    const kind = blank ? "blank" : state.locked ? state.sign_in : null;
    document.body.dataset.cover = kind ?? "";
    this.#box.setAttribute("aria-label", blank ? t("Blank screen") : t("Locked"));
    this.#box.hidden = kind === null;
    for (const covered of this.#covers) covered.inert = kind !== null;
    const drawn = draw(this.#box, kind, () => (blank ? blanked() : kind ? form(kind) : []));
    if (drawn && kind) this.#box.querySelector("input, button").focus();
  }
}

function blanked() {
  return button({ class: "blanked", click: () => uncover(), keydown: () => uncover() }, t("The screen is blank. Touch it, or press a key."));
}

function uncover() {
  post("/kiosk/blank", { on: false }).catch(() => {});
}

function form(kind) {
  const byPin = kind === "pin";
  const error = el("p", { class: "error", role: "alert" });
  const secret = el("input", {
    id: "secret",
    type: "password",
    inputmode: "none",
    autocomplete: "off",
    required: true,
    dir: "ltr",
  });
  const send = async (event) => {
    event.preventDefault();
    const typed = secret.value;
    secret.value = "";
    error.textContent = "";
    try {
      await post("/kiosk/sign-in", { secret: typed });
    } catch (problem) {
      error.textContent = problem.message;
    }
    secret.focus();
  };
  return el(
    "form",
    { class: "sign-in", submit: send },
    el(
      "div",
      { class: "sign-in-said" },
      el("h2", {}, t("Locked")),
      el("p", {}, byPin ? t("Sign in with your PIN.") : t("Sign in with your badge: scan it, or type its number.")),
      el("label", { for: "secret" }, byPin ? t("PIN") : t("Badge number")),
      secret,
      error,
      el("p", { class: "soft" }, t("Documents go on being checked while the page is locked.")),
    ),
    digitKeys((pressed) => typeInto(secret, pressed), button({ class: "primary key", type: "submit", tabindex: "-1" }, t("Enter"))),
  );
}
