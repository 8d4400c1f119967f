/* Puts the page together: who is signed in, what he may see, the link to the server, and what happens
   at each thing that is heard or pressed. Sections that this user may not see are never asked for. */

import { AlertDesk } from "./alertdesk.js";
import { keyOf } from "./alerts.js";
import { Announcer } from "./announce.js";
import { Audit } from "./audit.js";
import { Devices } from "./devices.js";
import { setText } from "./dom.js";
import { History } from "./history.js";
import { listen, showHelp } from "./keys.js";
import { Link } from "./link.js";
import { HASH, SECTIONS, Shell, showSignedOut } from "./shell.js";
import { Sound } from "./sound.js";
import { Trends } from "./trends.js";
import { WireError, events as wire, get } from "./wire.js";

const RETRY_MS = 3000;
const DETAIL = `${HASH}alerts/open`;
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
    this.shell = new Shell(me, this.sections, this.sound, {
      live: this.live,
      sounds: this.may.has("alerts"),
    });
    this.announcer = new Announcer(() => this.#showArrived());
    this.desk = this.may.has("alerts") ? new AlertDesk(me, this.announcer) : null;
    this.parts = {
      devices: this.may.has("devices") ? new Devices(byId("devices"), () => this.#showNav()) : null,
      history: this.may.has("history") ? new History(byId("history"), this.may.has("export")) : null,
      trends: this.may.has("trends") ? new Trends(byId("trends"), this.may.has("history")) : null,
      audit: this.may.has("audit") ? new Audit(byId("audit")) : null,
    };
    this.#listen();
    this.#route();
    setInterval(() => this.#tick(), 1000);
    this.#tick();
    if (this.live) this.link.start();
    if (this.desk) this.sound.allow();
  }

  #listen() {
    addEventListener("hashchange", () => this.#route());
    this.link.addEventListener("change", () => this.#showLink());
    this.link.addEventListener("hello", () => this.#sync());
    for (const name of ["alert", "answer", "escalated"])
      this.link.addEventListener(name, ({ detail }) => this.desk?.take(detail));
    this.link.addEventListener("device", ({ detail }) => this.parts.devices?.take(detail));
    this.sound.addEventListener("sounding", () => this.#ring(this.desk?.alerts.open() ?? []));
    this.desk?.addEventListener("arrived", ({ detail }) => this.#arrived(detail));
    this.desk?.addEventListener("change", () => this.#showNav());
    this.desk?.addEventListener("left", () => this.#leaveDetail());
    this.desk?.addEventListener("chosen", ({ detail }) => detail.open && this.#openDetail());
    wire.addEventListener("signed-out", () => showSignedOut());
    listen(this.#actions());
  }

  #actions() {
    const desk = this.desk;
    const here =
      (action) =>
      (...given) =>
        Boolean(desk) && this.section === "alerts" && action(...given);
    const answer = (outcome) =>
      here(() => {
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
      back: () => this.shell.closeMenu() || here(() => desk.leave())(),
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
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
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
    this.shell.showSection(section);
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
    this.shell.badge("alerts", open.length, `${open.length} to answer`);
    this.shell.badge("devices", blind, `${blind} blind`);
    const queueInSight = this.section === "alerts" && byId("queue").checkVisibility();
    this.announcer.show(open.length, this.link.connected || this.link.since === null, !queueInSight);
  }

  #showLink() {
    this.sound.connected = this.link.connected;
    this.#showNav();
    this.#tick();
  }

  #tick() {
    this.shell.tick(this.link);
    this.desk?.tick();
    this.parts.devices?.tick();
  }
}

async function start() {
  try {
    return new Page(await get("/console/me"));
  } catch (error) {
    if (error.status === 401) {
      location.assign("/sign-in");
      return null;
    }
    if (!(error instanceof WireError)) throw error;
    byId("lost").hidden = false;
    setText(byId("lost"), `▲ ${error.message} The page tries again by itself.`);
    await new Promise((again) => setTimeout(again, RETRY_MS));
    byId("lost").replaceChildren();
    byId("lost").hidden = true;
    return start();
  }
}

start();
