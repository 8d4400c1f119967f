/* The section of trends: scans and hits by hour, by checkpoint and by issuing State, and how fast hits
   are answered. Counts come from the devices' hourly statistics, which hold back small ones. */

import { el, setText } from "./dom.js";
import { bars, columns, figure } from "./plot.js";
import { get } from "./wire.js";
import { count, exactSpan, span, stateOf } from "./words.js";

const SCANS = { name: "scans", tone: "scans" };
const HITS = { name: "hits", tone: "hit" };
const POSSIBLE = { name: "possible", tone: "possible" };
const HOUR_MS = 3600000;
const MOST_ROWS = 12;

export class Trends {
  #days = 1;

  /** `withStates`: whether this user may see which State's documents were found. */
  constructor(container, withStates) {
    this.withStates = withStates;
    this.summary = el("p", { class: "summary", role: "status" });
    this.plots = el("div", { class: "plots" });
    const chosen = [1, 7, 30].map((days) => {
      const input = el("input", {
        type: "radio",
        name: "days",
        value: days,
        change: () => this.#choose(days),
      });
      input.checked = days === this.#days;
      return el("label", { class: "pill" }, input, ` ${days === 1 ? "24 hours" : `${days} days`}`);
    });
    container.append(
      el(
        "div",
        { class: "section-head" },
        el("h2", { tabindex: "-1", class: "title" }, "Trends"),
        this.summary,
        el("fieldset", { class: "pills" }, el("legend", { class: "for-ears" }, "Time"), chosen),
      ),
      this.plots,
    );
  }

  async open() {
    setText(this.summary, "Loading…");
    try {
      this.#show(await get("/console/trends", { days: this.#days }));
    } catch (error) {
      setText(this.summary, error.message);
    }
  }

  #choose(days) {
    this.#days = days;
    this.open();
  }

  #show(said) {
    const answered = said.answered
      ? `, half of them within ${exactSpan(said.median_s)}, nine in ten within ${exactSpan(said.p90_s)}`
      : "";
    setText(
      this.summary,
      `${count(said.answered, "alert")} answered${answered}; ${said.overdue} not in time`,
    );
    const hours = byHour(said.hours, this.#days);
    this.plots.replaceChildren(
      figure("Scans", perWhat(this.#days), columns([SCANS], hours.scans), [SCANS], hours.scans),
      figure(
        "Hits and possible hits",
        perWhat(this.#days),
        columns([HITS, POSSIBLE], hours.hits),
        [HITS, POSSIBLE],
        hours.hits,
      ),
      this.#places(
        "Scans by checkpoint",
        said.checkpoints,
        [SCANS],
        (row) => [row.scans],
        (row) => row.site,
      ),
      this.#places(
        "Hits by checkpoint",
        said.checkpoints,
        [HITS, POSSIBLE],
        (row) => [row.hits, row.possible],
        (row) => row.site,
      ),
      this.withStates
        ? this.#places(
            "Hits by issuing State",
            said.issuers,
            [HITS, POSSIBLE],
            (row) => [row.hits, row.possible],
            (row) => stateOf(row.issuer, row.name),
          )
        : "",
      answerTimes(said.answer_times),
    );
  }

  #places(title, all, series, values, name) {
    const rows = all.map((row) => ({ title: name(row), values: values(row) }));
    rows.sort((a, b) => sum(b.values) - sum(a.values));
    const note =
      rows.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${rows.length}; all of them in the table` : null;
    return figure(title, note, bars(series, rows.slice(0, MOST_ROWS)), series, rows);
  }
}

function byHour(hours, days) {
  const rows = [...hours].sort((a, b) => a.at.localeCompare(b.at));
  const every = Math.ceil(rows.length / (matchMedia("(max-width: 48rem)").matches ? 4 : 8));
  const told = rows.map((row, at) => {
    const start = new Date(row.at);
    const hour = `${String(start.getHours()).padStart(2, "0")}:00`;
    const day = start.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    const end = new Date(start.getTime() + HOUR_MS);
    return {
      ...row,
      label: at % every ? "" : days === 1 ? hour : day,
      title: `${day}, ${hour} to ${String(end.getHours()).padStart(2, "0")}:00`,
    };
  });
  return {
    scans: told.map(({ label, title, scans }) => ({ label, title, values: [scans] })),
    hits: told.map(({ label, title, hits, possible }) => ({ label, title, values: [hits, possible] })),
  };
}

function answerTimes(times) {
  const series = [{ name: "alerts", tone: "ask" }];
  const rows = times.map(({ upto_s, count: n }, at) => {
    const label = upto_s === null ? "longer" : `≤ ${span(upto_s)}`;
    return {
      label: at % Math.ceil(times.length / (matchMedia("(max-width: 48rem)").matches ? 4 : 10)) ? "" : label,
      title: upto_s === null ? "longer" : `within ${span(upto_s)}`,
      values: [n],
    };
  });
  return figure(
    "Time to answer",
    "from arrival at central to the first answer",
    columns(series, rows),
    series,
    rows,
  );
}

function perWhat(days) {
  return days === 1 ? "by hour, the last 24 hours" : `by hour, the last ${days} days`;
}

function sum(values) {
  return values.reduce((total, value) => total + (value ?? 0), 0);
}
