/* What stands around the sections: the bar with its links and numbers, the clock, the state of the link
   and of the sound, the menu, and the banners. */

import * as clock from "./clock.js";
import { el, setText } from "./dom.js";
import { showHelp } from "./keys.js";
import { forgetHere, recall, remember } from "./memory.js";
import { capital, span, timeOf, zone } from "./words.js";

export const SECTIONS = ["alerts", "devices", "history", "trends", "audit"];
/** What a section's address begins with; with the slash it names no element, to which the browser would
 *  scroll. */
export const HASH = "#/";

const SOUND = { on: "Sound on", elsewhere: "Sound in another tab", muted: "Muted", blocked: "Silent" };
const byId = (id) => document.getElementById(id);

export class Shell {
  #links;

  /** `live`: whether anything is shown as it happens; `sounds`: whether hits arrive here. */
  constructor(me, sections, sound, { live, sounds }) {
    this.#links = new Map(sections.map((name) => [name, link(name)]));
    byId("nav").append(...[...this.#links.values()].map((one) => one.link));
    setText(byId("who"), me.name);
    setText(byId("role"), `${me.name}, ${me.role}`);
    setText(byId("version"), `Borderpost ${me.version ?? ""}`);
    byId("link").hidden = !live;
    byId("sound").hidden = !sounds;
    byId("try-sound").hidden = !sounds;
    if (sounds) sound.addEventListener("change", () => showSound(sound));
    listen(sound);
  }

  /** Marks the section that is shown. */
  showSection(name) {
    for (const [other, { link }] of this.#links) {
      if (other === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  /** A number beside a section's name. */
  badge(name, number, said) {
    const badge = this.#links.get(name)?.badge;
    if (!badge) return;
    setText(badge, number ? String(number) : "");
    if (number) badge.setAttribute("aria-label", said);
    else badge.removeAttribute("aria-label");
  }

  /** Closes the menu; says whether it was open. */
  closeMenu() {
    const menu = byId("menu");
    if (!menu.open) return false;
    menu.open = false;
    menu.querySelector("summary").focus();
    return true;
  }

  /** Brings the clock and the link's state up to the second. */
  tick({ connected, since }) {
    setText(byId("clock"), timeOf(clock.now()));
    setText(byId("zone"), zone());
    setText(byId("link"), connected ? "Connected" : since === null ? "Connecting…" : "Not connected");
    byId("link").dataset.state = connected ? "on" : since === null ? "wait" : "off";
    const lost = !connected && since !== null;
    byId("lost").hidden = !lost;
    if (lost) showLost(byId("lost"), since);
  }
}

/** Says that the session is over, over everything else. */
export function showSignedOut() {
  if (document.querySelector("dialog.signed-out")) return;
  const dialog = el(
    "dialog",
    { class: "signed-out", "aria-labelledby": "signed-out-title" },
    el("h2", { id: "signed-out-title" }, "You are signed out"),
    el("p", {}, "What you see is old, and nothing can be answered. A draft is kept in this tab."),
    el("p", { class: "line buttons" }, el("a", { class: "button primary", href: "/sign-in" }, "Sign in")),
  );
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
}

function link(name) {
  const badge = el("span", { class: "badge-number" });
  const key = el("kbd", {}, SECTIONS.indexOf(name) + 1);
  return {
    badge,
    link: el("a", { href: `${HASH}${name}` }, el("span", { class: "nav-word" }, capital(name)), badge, key),
  };
}

function listen(sound) {
  const theme = byId("theme");
  theme.value = recall("theme", "system");
  theme.addEventListener("change", () => {
    remember("theme", theme.value);
    if (theme.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
  });
  byId("sound").addEventListener("click", () => sound.toggle());
  byId("unblock").addEventListener("click", () => sound.allow());
  byId("try-sound").addEventListener("click", () => sound.try());
  byId("show-keys").addEventListener("click", () => showHelp());
  byId("sign-out").addEventListener("submit", () => forgetHere());
  document.addEventListener("click", (event) => {
    if (!byId("menu").contains(event.target)) byId("menu").open = false;
  });
}

function showSound(sound) {
  const button = byId("sound");
  if (button.dataset.state !== sound.state) {
    button.dataset.state = sound.state;
    button.replaceChildren(el("span", {}, SOUND[sound.state]), el("kbd", {}, "s"));
  }
  byId("blocked").hidden = sound.state !== "blocked";
}

function showLost(banner, since) {
  if (!banner.querySelector(".lost-since")) {
    banner.replaceChildren(
      el(
        "p",
        {},
        el("span", { "aria-hidden": "true" }, "▲ "),
        el("strong", {}, "Not connected "),
        el("span", { class: "lost-since" }),
        ". What you see may be old: new hits do not arrive here.",
      ),
      el("p", { class: "lost-for", "aria-hidden": "true" }),
    );
  }
  setText(banner.querySelector(".lost-since"), `since ${timeOf(since)}`);
  const passed = span((clock.now() - since) / 1000);
  setText(banner.querySelector(".lost-for"), `for ${passed}; trying again by itself`);
}
