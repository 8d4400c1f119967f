/* The section of history: every alert, searched and filtered at the server, with one of them spelled
   out beside the list; and the same search as a file, where this user may have one. */

import { keyOf, latestAnswer } from "./alerts.js";
import { Detail } from "./detail.js";
import { el, setText } from "./dom.js";
import { get, pathWith } from "./wire.js";
import { ANSWER, OUTCOME, momentOf, nameOf, placeOf } from "./words.js";

const PAGE = 50;

export class History {
  #found = [];
  #next = null;
  #chosen = null;
  #asked = 0;

  constructor(container, mayExport) {
    this.fields = {
      q: el("input", { type: "search", id: "h-q", autocomplete: "off", maxlength: "100" }),
      from: el("input", { type: "date", id: "h-from" }),
      to: el("input", { type: "date", id: "h-to" }),
      outcome: choice("h-outcome", [
        ["", "all"],
        ["HIT", "hits"],
        ["POSSIBLE", "possible"],
      ]),
      answer: choice("h-answer", [
        ["", "all"],
        ["confirmed", "confirmed"],
        ["not_confirmed", "not confirmed"],
        ["need_more", "need more"],
        ["none", "none"],
      ]),
      site: el("input", { id: "h-site", autocomplete: "off", maxlength: "80" }),
      device: el("input", { id: "h-device", autocomplete: "off", maxlength: "63" }),
      list: el("input", { id: "h-list", autocomplete: "off", maxlength: "64" }),
    };
    const titles = {
      q: "Number or name",
      from: "From",
      to: "To",
      outcome: "Outcome",
      answer: "Answer",
      site: "Checkpoint",
      device: "Device",
      list: "List",
    };
    this.summary = el("p", { class: "summary", role: "status" });
    this.csv = el("a", { class: "button", download: true }, "As CSV");
    this.csv.hidden = !mayExport;
    this.form = el(
      "form",
      { class: "filters", role: "search", "aria-label": "Search the history" },
      Object.entries(this.fields).map(([name, field]) =>
        el("div", { class: `field field-${name}` }, el("label", { for: field.id }, titles[name]), field),
      ),
      el(
        "div",
        { class: "line buttons" },
        el("button", { type: "submit", class: "primary" }, "Search"),
        el("button", { type: "reset" }, "Clear"),
        this.csv,
      ),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.search();
    });
    this.form.addEventListener("reset", () => setTimeout(() => this.search()));
    this.form.addEventListener("input", () => this.#link());
    this.rows = el("tbody", {});
    this.more = el("button", { type: "button", click: () => this.#fetch(this.#next) }, "Show more");
    this.pane = el("div", { class: "history-detail" });
    this.detail = new Detail(this.pane);
    container.append(
      el(
        "div",
        { class: "section-head" },
        el("h2", { tabindex: "-1", class: "title" }, "History"),
        this.summary,
      ),
      this.form,
      el(
        "div",
        { class: "found" },
        el(
          "div",
          { class: "table-wrap" },
          el(
            "table",
            { class: "wide" },
            el("caption", { class: "for-ears" }, "Alerts found"),
            el(
              "thead",
              {},
              el(
                "tr",
                {},
                ["Received", "Outcome", "Document", "Holder", "Where", "Answer"].map((name) =>
                  el("th", { scope: "col" }, name),
                ),
              ),
            ),
            this.rows,
          ),
          this.more,
        ),
        this.pane,
      ),
    );
    this.#link();
  }

  async open() {
    if (!this.#asked) await this.search();
  }

  /** Puts the focus into the search. */
  focus() {
    this.fields.q.focus();
    this.fields.q.select();
    return true;
  }

  async search() {
    this.#found = [];
    this.#chosen = null;
    this.#link();
    await this.#fetch(null);
  }

  async #fetch(before) {
    this.#asked += 1;
    const asked = this.#asked;
    setText(this.summary, "Searching…");
    try {
      const said = await get("/console/history", { ...this.#query(), limit: PAGE, before });
      if (asked !== this.#asked) return;
      this.#found.push(...said.alerts);
      this.#next = said.next;
      this.#show();
    } catch (error) {
      if (asked === this.#asked) setText(this.summary, error.message);
    }
  }

  #query() {
    return Object.fromEntries(Object.entries(this.fields).map(([name, field]) => [name, field.value.trim()]));
  }

  #link() {
    this.csv.href = pathWith("/console/history.csv", this.#query());
  }

  #show() {
    setText(
      this.summary,
      this.#found.length ? `${this.#found.length}${this.#next ? " and more" : ""} found` : "Nothing found.",
    );
    this.more.hidden = !this.#next;
    this.rows.replaceChildren(...this.#found.map((alert) => this.#row(alert)));
    this.detail.show(this.#found.find((alert) => keyOf(alert) === this.#chosen) ?? null);
  }

  #row(alert) {
    const outcome = OUTCOME[alert.outcome] ?? { word: alert.outcome, mark: "", tone: "soft" };
    const answer = latestAnswer(alert);
    const told = answer ? (ANSWER[answer.outcome] ?? { word: answer.outcome, mark: "", tone: "soft" }) : null;
    const show = el(
      "button",
      {
        type: "button",
        class: "link number",
        "data-key": keyOf(alert),
        click: () => this.#choose(alert, row),
      },
      `${alert.document.issuer} ${alert.document.number}`,
    );
    const row = el(
      "tr",
      { class: keyOf(alert) === this.#chosen ? "chosen" : null },
      el(
        "td",
        {},
        el("time", { datetime: alert.received_at, title: alert.received_at }, momentOf(alert.received_at)),
        " ",
        alert.late ? el("span", { class: "tag" }, "late") : null,
      ),
      el(
        "td",
        { class: `tone-${outcome.tone}` },
        el("span", { "aria-hidden": "true" }, `${outcome.mark} `),
        outcome.word,
      ),
      el("td", {}, show),
      el("td", {}, nameOf(alert.document)),
      el("td", {}, placeOf(alert)),
      told
        ? el(
            "td",
            { class: `tone-${told.tone}` },
            el("span", { "aria-hidden": "true" }, `${told.mark} `),
            told.word,
          )
        : el("td", { class: "soft" }, "none"),
    );
    return row;
  }

  #choose(alert, row) {
    this.#chosen = keyOf(alert);
    for (const other of this.rows.children) other.classList.toggle("chosen", other === row);
    this.detail.show(alert);
    this.pane.querySelector(".title")?.focus({ preventScroll: true });
    this.pane.scrollTop = 0;
    if (matchMedia("(max-width: 80rem)").matches) this.pane.scrollIntoView();
  }
}

function choice(id, options) {
  return el(
    "select",
    { id },
    options.map(([value, text]) => el("option", { value }, text)),
  );
}
