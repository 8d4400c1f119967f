/* Plots, drawn as SVG: bars that stand, bars that lie. Each comes with the same figures as a table,
   which is what a screen reader is given; the drawing itself is hidden from it. A count that the
   devices suppress because it is small is drawn as a hatched stub and said as "few". */

import { el, svg } from "./dom.js";

const WIDE = 640;
const NARROW = 330;
const HEIGHT = 200;
const LEFT = 44;
const BOTTOM = 24;
const TOP = 10;
const STUB = 0.35;

/** A figure with a drawing and, below it, the table. `series`: [{name, tone}]; `rows`: [{label, title,
 *  values}], a value is a number or null where it is suppressed. */
export function figure(title, note, drawing, series, rows) {
  return el(
    "figure",
    { class: "plot card" },
    el("figcaption", {}, el("h3", {}, title), note ? el("p", { class: "soft" }, note) : null),
    series.length > 1 ? legend(series) : null,
    rows.length ? drawing : el("p", { class: "empty" }, "Nothing to show for this time."),
    rows.length ? table(title, series, rows) : null,
  );
}

/** Bars that stand, one for each row, series on top of one another. */
export function columns(series, rows) {
  const width = widthHere();
  const most = Math.max(1, ...rows.map((row) => total(row.values)));
  const top = rounded(most);
  const across = (width - LEFT) / Math.max(1, rows.length);
  const high = HEIGHT - BOTTOM - TOP;
  const parts = [0, 0.5, 1].map((part) => grid(width, TOP + high * (1 - part), top * part));
  rows.forEach((row, at) => {
    let foot = TOP + high;
    row.values.forEach((value, which) => {
      const tall = height(value, top, high);
      if (!tall) return;
      foot -= tall;
      parts.push(
        bar(
          { x: LEFT + at * across + across * 0.12, y: foot, width: across * 0.76, height: tall },
          series[which],
          value,
          row,
        ),
      );
    });
    if (row.label)
      parts.push(
        svg(
          "text",
          { x: LEFT + (at + 0.5) * across, y: HEIGHT - 6, class: "axis", "text-anchor": "middle" },
          row.label,
        ),
      );
  });
  return drawing(width, HEIGHT, parts);
}

/** Bars that lie, one below the other, with their names at the left and their figures at the end. */
export function bars(series, rows) {
  const most = Math.max(1, ...rows.map((row) => total(row.values)));
  const width = widthHere();
  const names = width * 0.3;
  const line = 26;
  const parts = [];
  rows.forEach((row, at) => {
    const y = at * line + 4;
    let x = names;
    parts.push(
      svg(
        "text",
        { x: names - 8, y: y + 14, class: "axis name", "text-anchor": "end" },
        shortened(row.title, width === WIDE ? 24 : 13),
      ),
    );
    row.values.forEach((value, which) => {
      const wide = height(value, most, width - names - 70);
      if (!wide) return;
      parts.push(bar({ x, y, width: wide, height: line - 8 }, series[which], value, row));
      x += wide;
    });
    parts.push(svg("text", { x: x + 6, y: y + 14, class: "axis figure" }, row.values.map(said).join(" + ")));
  });
  return drawing(width, rows.length * line + 4, parts);
}

/** How a value is said. */
export function said(value) {
  return value === null ? "few" : String(value);
}

function drawing(width, height, parts) {
  const hatch = svg(
    "pattern",
    { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("line", { x1: 0, y1: 0, x2: 0, y2: 5, class: "hatch" }),
  );
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: "drawing", "aria-hidden": "true", focusable: "false" },
    svg("defs", {}, hatch),
    parts,
  );
}

function bar(box, series, value, row) {
  const told = svg("title", {}, `${row.title}: ${said(value)} ${series.name}`);
  return svg("rect", { ...box, rx: 1.5, class: value === null ? "suppressed" : `fill-${series.tone}` }, told);
}

function grid(width, y, value) {
  return svg(
    "g",
    {},
    svg("line", { x1: LEFT, x2: width, y1: y, y2: y, class: "grid" }),
    svg("text", { x: LEFT - 6, y: y + 4, class: "axis", "text-anchor": "end" }, Math.round(value)),
  );
}

function table(title, series, rows) {
  return el(
    "details",
    {},
    el("summary", {}, "As a table"),
    el(
      "div",
      { class: "table-wrap" },
      el(
        "table",
        {},
        el("caption", { class: "for-ears" }, title),
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            el("td", {}),
            series.map(({ name }) => el("th", { scope: "col" }, name)),
          ),
        ),
        el(
          "tbody",
          {},
          rows.map((row) =>
            el(
              "tr",
              {},
              el("th", { scope: "row" }, row.title),
              row.values.map((value) => el("td", {}, said(value))),
            ),
          ),
        ),
      ),
    ),
  );
}

function legend(series) {
  return el(
    "ul",
    { class: "legend" },
    series.map(({ name, tone }) =>
      el(
        "li",
        {},
        svg(
          "svg",
          { viewBox: "0 0 10 10", class: "swatch", "aria-hidden": "true" },
          svg("rect", { width: 10, height: 10, class: `fill-${tone}` }),
        ),
        name,
      ),
    ),
  );
}

function height(value, most, all) {
  if (value === null) return Math.min(STUB * 20, all / 4);
  return (value / most) * all;
}

function total(values) {
  return values.reduce((sum, value) => sum + (value ?? 0), 0);
}

/** The next number whose half is whole as well. */
function rounded(most) {
  const step = 10 ** Math.floor(Math.log10(most));
  return [2, 4, 6, 8, 10].map((factor) => factor * step).find((candidate) => candidate >= most) ?? most;
}

function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** Drawings are scaled to their place; on a phone they are drawn narrower, so that the type on them
 *  stays as large as elsewhere. */
function widthHere() {
  return matchMedia("(max-width: 48rem)").matches ? NARROW : WIDE;
}
