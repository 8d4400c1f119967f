/* Puts the page together: who is signed in, what he may see, the link to the server, and what happens
   at each thing that is heard or pressed. Sections that this user may not see are never asked for. */

import { AlertDesk } from "./alertdesk.js";
import { keyOf } from "./alerts.js";
import { Announcer } from "./announce.js";
import { Audit } from "./audit.js";
import * as clock from "./clock.js";
import { Devices } from "./devices.js";
import { el, setText } from "./dom.js";
import { History } from "./history.js";
import { listen, showHelp } from "./keys.js";
import { Link } from "./link.js";
import { forgetHere, recall, remember } from "./memory.js";
import { Sound } from "./sound.js";
import { Trends } from "./trends.js";
import { events as wire, get } from "./wire.js";
import { span, timeOf, zone } from "./words.js";

const SECTIONS = ["alerts", "devices", "history", "trends", "audit"];
const RETRY_MS = 3000;
/** With the slash it names no element, to which the browser would scroll. */
const HASH = "#/";
const DETAIL = "#/alerts/open";
const byId = (id) => document.getElementById(id);

class Page {
  constructor(me) {
    this.me = me;
    this.may = new Set(me.may);
    this.sections = SECTIONS.filter((name) => this.may.has(name));
    /** Whether anything here is shown as it happens; an auditor reads what is past. */
    this.live = this.may.has("alerts") || this.may.has("devices");
    this.link = new Link();
    this.sound = new Sound();
    this.announcer = new Announcer(() => this.#showArrived());
    this.desk = this.may.has("alerts") ? new AlertDesk(me, this.announcer) : null;
    this.parts = {
      devices: this.may.has("devices") ? new Devices(byId("devices"), () => this.#showNav()) : null,
      history: this.may.has("history") ? new History(byId("history"), this.may.has("export")) : null,
      trends: this.may.has("trends") ? new Trends(byId("trends"), this.may.has("history")) : null,
      audit: this.may.has("audit") ? new Audit(byId("audit")) : null,
    };
    this.#buildNav();
    this.#buildTools();
    this.#listen();
    this.#route();
    setInterval(() => this.#tick(), 1000);
    this.#tick();
    if (this.live) this.link.start();
    if (this.desk) this.sound.allow();
  }

  #buildNav() {
    this.links = new Map(
      this.sections.map((name, at) => {
        const number = el("span", { class: "badge-number" });
        const link = el("a", { href: `${HASH}${name}` }, el("span", { class: "nav-word" }, name.charAt(0).toUpperCase() + name.slice(1)), number, el("kbd", {}, SECTIONS.indexOf(name) + 1));
        return [name, { link, number, at }];
      }),
    );
    byId("nav").append(...[...this.links.values()].map(({ link }) => link));
  }

  #buildTools() {
    setText(byId("who"), this.me.name);
    setText(byId("role"), `${this.me.name}, ${this.me.role}`);
    setText(byId("version"), `Borderpost ${this.me.version ?? ""}`);
    const theme = byId("theme");
    theme.value = recall("theme", "system");
    theme.addEventListener("change", () => {
      remember("theme", theme.value);
      if (theme.value === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = theme.value;
    });
    byId("sound").hidden = !this.desk;
    byId("link").hidden = !this.live;
    byId("try-sound").hidden = !this.desk;
    byId("sound").addEventListener("click", () => this.sound.toggle());
    byId("unblock").addEventListener("click", () => this.sound.allow());
    byId("try-sound").addEventListener("click", () => this.sound.try());
    byId("show-keys").addEventListener("click", () => showHelp());
    byId("sign-out").addEventListener("submit", () => forgetHere());
    document.addEventListener("click", (event) => {
      if (!byId("menu").contains(event.target)) byId("menu").open = false;
    });
  }

  #listen() {
    addEventListener("hashchange", () => this.#route());
    this.link.addEventListener("change", () => this.#showLink());
    this.link.addEventListener("hello", () => this.#sync());
    for (const name of ["alert", "answer", "escalated"]) this.link.addEventListener(name, ({ detail }) => this.desk?.take(detail));
    this.link.addEventListener("device", ({ detail }) => this.parts.devices?.take(detail));
    this.sound.addEventListener("change", () => this.#showSound());
    this.sound.addEventListener("sounding", () => this.#ring(this.desk?.alerts.open() ?? []));
    this.desk?.addEventListener("arrived", ({ detail }) => this.#arrived(detail));
    this.desk?.addEventListener("change", () => this.#showNav());
    this.desk?.addEventListener("left", () => this.#leaveDetail());
    this.desk?.addEventListener("chosen", ({ detail }) => detail.open && this.#openDetail());
    wire.addEventListener("signed-out", () => this.#signedOut());
    listen(this.#actions());
  }

  #actions() {
    const desk = this.desk;
    const here = (action) => (...given) => Boolean(desk) && this.section === "alerts" && action(...given);
    const answer = (outcome) => here(() => {
      if (!this.may.has("answer") || !desk.chosen) return false;
      this.#openDetail();
      desk.announcer.seen(keyOf(desk.chosen));
      desk.form.choose(outcome);
      return true;
    });
    return {
      next: here(() => desk.step(1)),
      previous: here(() => desk.step(-1)),
      urgent: () => Boolean(desk) && (this.#go("alerts"), desk.mostUrgent()),
      enter: here(() => {
        if (!desk.chosen) return false;
        desk.choose(keyOf(desk.chosen), { open: true });
        return desk.readTop();
      }),
      confirmed: answer("confirmed"),
      not_confirmed: answer("not_confirmed"),
      need_more: answer("need_more"),
      send: here(() => {
        desk.form.send();
        return true;
      }),
      back: () => this.#back(),
      copy: here(() => {
        document.querySelector("#detail .copy")?.click();
        return true;
      }),
      seen: here(() => {
        if (!this.may.has("escalations") || !desk.chosen?.escalated_at || desk.chosen.seen_at) return false;
        desk.takeNote(desk.chosen);
        return true;
      }),
      sound: () => Boolean(desk) && (this.sound.toggle(), true),
      section: (key) => this.#go(SECTIONS[Number(key) - 1]),
      search: () => Boolean(this.parts.history) && (this.#go("history"), this.parts.history.focus()),
      help: () => (showHelp(), true),
    };
  }

  /** Fetches everything that is shown as it happens. */
  #sync() {
    if (this.desk) {
      this.#untilDone(async () => {
        const unknown = await this.desk.sync();
        this.#arrived(this.synced ? unknown : []);
        this.synced = true;
      });
    }
    if (this.parts.devices) this.#untilDone(() => this.parts.devices.sync());
  }

  /** Tries again until it has worked or the link is lost, after which everything begins anew. */
  async #untilDone(fetching) {
    try {
      await fetching();
    } catch {
      setTimeout(() => this.link.connected && this.#untilDone(fetching), RETRY_MS);
    }
  }

  #arrived(alerts) {
    this.announcer.arrived(alerts);
    this.#ring(this.desk.alerts.open());
    this.#showNav();
  }

  #ring(alerts) {
    this.sound.ring(alerts.map((alert) => ({ key: keyOf(alert), outcome: alert.outcome })));
  }

  #route() {
    const [name, rest] = location.hash.slice(HASH.length).split("/");
    const section = this.sections.includes(name) ? name : this.sections[0];
    const before = this.section;
    this.section = section;
    for (const other of SECTIONS) byId(other).hidden = other !== section;
    for (const [other, { link }] of this.links) {
      if (other === section) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    byId("alerts").classList.toggle("detail-open", rest === "open");
    if (section !== before) this.parts[section]?.open?.();
    if (section !== before && before) byId(section).querySelector(".title")?.focus({ preventScroll: true });
    this.#showNav();
  }

  #go(name) {
    if (!this.sections.includes(name)) return false;
    if (this.section !== name) {
      location.hash = HASH + name;
      this.#route();
    }
    return true;
  }

  #openDetail() {
    if (location.hash !== DETAIL) location.hash = DETAIL;
    this.#route();
  }

  #leaveDetail() {
    if (location.hash === DETAIL) location.hash = `${HASH}alerts`;
    this.#route();
  }

  #back() {
    if (byId("menu").open) {
      byId("menu").open = false;
      byId("menu").querySelector("summary").focus();
      return true;
    }
    return Boolean(this.desk) && this.section === "alerts" && this.desk.leave();
  }

  #showArrived() {
    const first = this.desk.alerts.inOrder().find((alert) => this.announcer.isFresh(keyOf(alert)));
    this.#go("alerts");
    if (!first) return;
    this.desk.choose(keyOf(first), { open: true });
    this.desk.readTop();
  }

  #showNav() {
    const open = this.desk?.alerts.open() ?? [];
    this.announcer.keepOnly(new Set(open.map(keyOf)));
    const blind = this.parts.devices?.blind ?? 0;
    this.#badge("alerts", open.length, `${open.length} to answer`);
    this.#badge("devices", blind, `${blind} blind`);
    const queueInSight = this.section === "alerts" && byId("queue").checkVisibility();
    this.announcer.show(open.length, this.link.connected || this.link.since === null, !queueInSight);
  }

  #badge(name, number, said) {
    const link = this.links.get(name);
    if (!link) return;
    setText(link.number, number ? String(number) : "");
    if (number) link.number.setAttribute("aria-label", said);
    else link.number.removeAttribute("aria-label");
  }

  #showLink() {
    this.sound.connected = this.link.connected;
    this.#showNav();
    this.#tick();
  }

  #showSound() {
    const told = { on: "Sound on", elsewhere: "Sound in another tab", muted: "Muted", blocked: "Silent" };
    const button = byId("sound");
    if (button.dataset.state !== this.sound.state) {
      button.dataset.state = this.sound.state;
      button.setAttribute("aria-pressed", String(this.sound.muted));
      button.title = "Sound on or off";
      button.replaceChildren(el("span", { class: "sound-word" }, told[this.sound.state]), el("kbd", {}, "s"));
    }
    byId("blocked").hidden = !this.desk || this.sound.state !== "blocked";
  }

  #signedOut() {
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

  #tick() {
    setText(byId("clock"), timeOf(clock.now()));
    setText(byId("zone"), zone());
    const { connected, since } = this.link;
    setText(byId("link"), connected ? "Connected" : since === null ? "Connecting…" : "Not connected");
    byId("link").dataset.state = connected ? "on" : since === null ? "wait" : "off";
    const lost = byId("lost");
    lost.hidden = connected || since === null;
    if (!lost.hidden) showLost(lost, since);
    document.body.classList.toggle("is-old", !lost.hidden);
    this.desk?.tick();
    this.parts.devices?.tick();
  }
}

function showLost(banner, since) {
  if (!banner.firstChild) {
    banner.append(el("p", {}, el("span", { "aria-hidden": "true" }, "▲ "), el("strong", {}, "Not connected "), el("span", {}), ". What you see may be old: new hits do not arrive here."), el("p", { class: "lost-for", "aria-hidden": "true" }));
  }
  setText(banner.querySelector("strong + span"), `since ${timeOf(since)}`);
  setText(banner.querySelector(".lost-for"), `for ${span((clock.now() - since) / 1000)}; trying again by itself`);
}

async function start() {
  try {
    return new Page(await get("/console/me"));
  } catch (error) {
    if (error.status === 401) {
      location.assign("/sign-in");
      return null;
    }
    if (!("status" in error)) throw error;
    byId("lost").hidden = false;
    setText(byId("lost"), `▲ ${error.message} The page tries again by itself.`);
    await new Promise((again) => setTimeout(again, RETRY_MS));
    byId("lost").replaceChildren();
    byId("lost").hidden = true;
    return start();
  }
}

start();
