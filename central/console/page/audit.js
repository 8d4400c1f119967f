/* The section of audit: who did what, newest first, and whether the chain of hashes is whole. */

import { el, setText } from "./dom.js";
import { get } from "./wire.js";
import { momentOf, plain } from "./words.js";

export class Audit {
  #next = null;

  constructor(container) {
    this.state = el("p", { class: "summary", role: "status" });
    this.rows = el("tbody", {});
    this.more = el("button", { type: "button", click: () => this.#fetch(this.#next) }, "Show more");
    container.append(
      el("div", { class: "section-head" }, el("h2", { tabindex: "-1", class: "title" }, "Audit"), this.state),
      el(
        "div",
        { class: "table-wrap" },
        el(
          "table",
          { class: "wide" },
          el("caption", { class: "for-ears" }, "Audit trail, newest first"),
          el(
            "thead",
            {},
            el(
              "tr",
              {},
              ["No.", "When", "Who", "Role", "What", "About", "Detail"].map((name) =>
                el("th", { scope: "col" }, name),
              ),
            ),
          ),
          this.rows,
        ),
      ),
      this.more,
    );
  }

  async open() {
    this.rows.replaceChildren();
    await this.#fetch(null);
  }

  async #fetch(before) {
    try {
      const said = await get("/console/audit", { before, limit: 100 });
      this.#next = said.next;
      this.more.hidden = !said.next;
      this.rows.append(...said.rows.map(row));
      this.state.className = `summary tone-${said.intact ? "good" : "hit"}`;
      setText(
        this.state,
        said.intact
          ? "✓ The chain is whole: nothing was changed or taken out."
          : "▲ The chain is broken: something was changed or taken out. Tell whoever answers for this system.",
      );
    } catch (error) {
      setText(this.state, error.message);
    }
  }
}

function row(said) {
  return el(
    "tr",
    {},
    el("td", { class: "figure" }, said.n),
    el("td", {}, el("time", { datetime: said.at, title: said.at }, momentOf(said.at))),
    el("th", { scope: "row" }, said.actor),
    el("td", {}, said.role),
    el("td", {}, plain(said.action)),
    el("td", { class: "subject" }, said.subject),
    el("td", {}, detailOf(said.detail)),
  );
}

function detailOf(detail) {
  if (detail === null || detail === undefined) return "";
  if (typeof detail !== "object") return String(detail);
  return Object.entries(detail)
    .map(([name, value]) => `${plain(name)}: ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join("; ");
}
