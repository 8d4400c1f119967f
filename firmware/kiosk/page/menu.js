/* The menu: who is signed in, language and colours, and what is not needed with every document. */

import { button, el, printed } from "./dom.js";
import { recall, remember } from "./memory.js";
import { Sheet, choices } from "./sheet.js";
import { post } from "./wire.js";
import { language, t } from "./words.js";

/** Opens the menu. `todo`: what its entries do, by name. */
export function openMenu(state, todo) {
  const sheet = new Sheet(t("Menu"), { name: "menu" });
  const may = (intent) => Boolean(state.may?.includes(intent));
  const ask = (path, body) => async () => (await sheet.attempt(() => post(path, body))) && sheet.close();
  const entry = (shown, label, click, name = null) =>
    shown ? button({ "data-do": name, click }, label) : null;
  const themes = [
    ["system", t("As the device")],
    ["dark", t("Dark room")],
    ["light", t("Daylight")],
    ["sunlight", t("Sunlight")],
  ];
  const languages = (state.languages ?? []).map(({ code, name }) => [code, name, { lang: code }]);
  sheet.body.append(
    el(
      "div",
      { class: "menu-columns" },
      el(
        "div",
        { class: "menu-column" },
        choices(t("Language"), "language", languages, language(), chooseLanguage),
        choices(t("Colours"), "theme", themes, recall("theme") ?? "system", chooseTheme),
        state.officer ? el("p", {}, t("Signed in: {name}", { name: state.officer.name })) : null,
        el("p", { class: "soft" }, printed(state.version ?? "")),
      ),
      el(
        "div",
        { class: "menu-column entries" },
        entry(may("blank"), t("Blank the screen"), ask("/kiosk/blank", { on: true })),
        entry(!state.locked, t("The desk's condition"), todo.conditions),
        entry(may("health"), t("The device's health"), todo.health, "health"),
        entry(
          may("drill") && !state.drill,
          t("Start a drill"),
          ask("/kiosk/drill", { do: "start" }),
          "drill",
        ),
        entry(true, t("Keys"), todo.keys),
        entry(may("sign_in") && !state.locked, t("Sign in"), todo.signIn),
        entry(may("sign_out"), t("Sign out"), ask("/kiosk/sign-out"), "sign_out"),
      ),
    ),
  );
  sheet.open();
}

function chooseLanguage(lang) {
  remember("language", lang);
  location.reload();
}

function chooseTheme(theme) {
  remember("theme", theme === "system" ? null : theme);
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
