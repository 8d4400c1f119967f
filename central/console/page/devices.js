/* The section of devices: those that are blind first, with the reason; for each its link, its lists
   with their ages, what waits on it, what is missing of what it said, and its faults. Of a large fleet
   only the first are drawn, which are the worst ones, and only while the section is in sight. */

import { fact } from "./cards.js";
import { arrange, el, setText } from "./dom.js";
import { get } from "./wire.js";
import { HEALTH, ago, count, dayOf, placeOf, plain, span } from "./words.js";

const DRAWN_MOST = 200;
const TOGETHER_MS = 250;

export class Devices {
  #known = new Map();
  #cards = new Map();
  #heard = null;
  #showing = null;
  #onChange;

  constructor(container, onChange) {
    this.container = container;
    this.#onChange = onChange;
    this.filter = el("input", {
      type: "search",
      id: "device-filter",
      autocomplete: "off",
      input: () => this.show(),
    });
    this.summary = el("p", { class: "summary", role: "status" });
    this.list = el("div", { class: "cards" });
    this.rest = el("p", { class: "empty" });
    container.append(
      el(
        "div",
        { class: "section-head" },
        el("h2", { tabindex: "-1", class: "title" }, "Devices"),
        this.summary,
        el("label", { for: "device-filter" }, "Find"),
        this.filter,
      ),
      this.list,
      this.rest,
    );
  }

  open() {
    if (this.#known.size) this.show();
  }

  /** All of them. What is said of one meanwhile is newer than what is fetched. */
  async sync() {
    this.#heard = new Map();
    const { devices } = await get("/console/devices");
    this.#known = new Map([...devices.map((device) => [device.device, device]), ...this.#heard]);
    this.#heard = null;
    this.show();
  }

  take(device) {
    this.#known.set(device.device, device);
    this.#heard?.set(device.device, device);
    this.#showing ??= setTimeout(() => this.show(), TOGETHER_MS);
  }

  get blind() {
    return [...this.#known.values()].filter((device) => device.blind).length;
  }

  show() {
    clearTimeout(this.#showing);
    this.#showing = null;
    if (!this.container.hidden) this.#draw();
    this.#onChange();
  }

  #draw() {
    const wanted = this.filter.value.trim().toLowerCase();
    const all = [...this.#known.values()].sort(worstFirst);
    const shown = all.filter((device) =>
      `${device.device} ${device.site} ${device.lane}`.toLowerCase().includes(wanted),
    );
    arrange(
      this.list,
      shown.slice(0, DRAWN_MOST).map((device) => this.#card(device)),
    );
    const left = shown.length - DRAWN_MOST;
    this.rest.hidden = left <= 0;
    setText(
      this.rest,
      left > 0 ? `${count(left, "device")} more, none worse than these; find one by its name.` : "",
    );
    setText(
      this.summary,
      all.length
        ? `${count(all.length, "device")}, ${this.blind ? `${this.blind} blind` : "none blind"}`
        : "No device has been heard yet.",
    );
  }

  tick() {
    for (const time of this.list.querySelectorAll("time[data-ago]")) setText(time, ago(time.dateTime));
  }

  #card(device) {
    const before = this.#cards.get(device.device);
    if (before?.device === device) return before.card;
    const card = before?.card ?? el("article", {});
    card.className = `card device ${device.blind ? "blind" : ""}`;
    card.replaceChildren(...contents(device));
    this.#cards.set(device.device, { card, device });
    return card;
  }
}

function worstFirst(a, b) {
  return rank(a) - rank(b) || a.device.localeCompare(b.device);
}

function rank(device) {
  if (device.blind) return 0;
  return device.faults.length || device.missing.length || device.lists.some((list) => list.health !== "ok")
    ? 1
    : 2;
}

function contents(device) {
  const state = device.blind
    ? el(
        "p",
        { class: "state tone-hit" },
        el("span", { "aria-hidden": "true" }, "▲ "),
        el("strong", {}, "Blind"),
        device.why ? `: ${device.why}` : "",
      )
    : rank(device) === 1
      ? el(
          "p",
          { class: "state tone-possible" },
          el("span", { "aria-hidden": "true" }, "△ "),
          el("strong", {}, "Sees"),
          device.why ? `: ${device.why}` : ", with something to look at",
        )
      : el(
          "p",
          { class: "state tone-good" },
          el("span", { "aria-hidden": "true" }, "● "),
          el("strong", {}, "Sees"),
        );
  return [
    el("h3", {}, device.device),
    el("p", { class: "soft" }, placeOf(device)),
    state,
    el(
      "dl",
      { class: "facts" },
      fact(
        "Link",
        { true: "connected", false: "not connected", null: "never heard" }[String(device.online)] ??
          "unknown",
      ),
      fact("Heard", device.heard_at ? since(device.heard_at) : "never"),
      fact("Queued", queued(device.queued), device.queued ? "on the device, not yet here" : null),
      fact("Missing", missing(device.missing)),
      fact(
        "Certificate",
        device.certificate_until ? `until ${dayOf(device.certificate_until)}` : "none told",
      ),
      fact("Refused", device.refused ? `${count(device.refused, "message")} not believed` : "nothing"),
      fact("Software", device.software || "not told"),
      fact("Ring", device.ring ?? "none told"),
    ),
    device.lists.length ? listTable(device) : el("p", { class: "soft" }, "No list told."),
    ...device.updates.map(update),
    device.updating ? el("p", { class: "soft" }, progress(device.updating)) : null,
    device.faults.length
      ? el(
          "ul",
          { class: "faults" },
          device.faults.map((fault) => el("li", {}, el("strong", {}, fault.part), `: ${fault.message}`)),
        )
      : null,
  ].filter(Boolean);
}

function listTable(device) {
  return el(
    "table",
    { class: "lists" },
    el("caption", { class: "for-ears" }, `Lists on ${device.device}`),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ["List", "Version", "Age", "Health"].map((name) => el("th", { scope: "col" }, name)),
      ),
    ),
    el(
      "tbody",
      {},
      device.lists.map((list) =>
        el(
          "tr",
          { class: list.health === "ok" ? null : "tone-hit" },
          el("th", { scope: "row" }, list.name),
          el("td", {}, list.version ?? "–"),
          el(
            "td",
            { title: list.as_of ?? null },
            list.age_s === null || list.age_s === undefined ? "–" : span(list.age_s),
          ),
          el("td", {}, list.health === "ok" ? "" : "▲ ", plain(list.health, HEALTH)),
        ),
      ),
    ),
  );
}

/** What last became of a list's publication. */
function update(said) {
  const well = said.outcome === "updated" || said.outcome === "current";
  const what = {
    updated: `updated from ${said.from_version ?? "none"} to ${said.version}, ${kilobytes(said.bytes)} in ${said.took_s} s`,
    current: "is what is published",
    refused: "refused what is published",
    failed: "not updated",
  }[said.outcome];
  return el(
    "p",
    { class: well ? "soft" : "state tone-possible" },
    well ? "" : el("span", { "aria-hidden": "true" }, "△ "),
    el("strong", {}, said.list),
    ` ${what}`,
    said.code ? ` (${said.code}: ${said.reason})` : "",
    ", ",
    since(said.at),
  );
}

function progress({ list, done, total }) {
  const share = total ? Math.floor((100 * done) / total) : 0;
  return `Fetching ${list}: ${share} % of ${kilobytes(total)}`;
}

function kilobytes(bytes) {
  return `${Math.ceil(bytes / 1024).toLocaleString("en")} kB`;
}

function queued(number) {
  if (number === null || number === undefined) return "unknown";
  return number ? count(number, "message") : "nothing";
}

function missing(ranges) {
  if (!ranges.length) return "nothing";
  const n = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const told = ranges.slice(0, 3).map(([first, last]) => (first === last ? first : `${first} to ${last}`));
  return `${count(n, "message")}: ${told.join(", ")}${ranges.length > 3 ? " …" : ""}`;
}

function since(iso) {
  return el("time", { datetime: iso, title: iso, "data-ago": true }, ago(iso));
}
