/* The document spelled out: who, which document, and what the officer compares with the person. */

import { draw, el, printed, scrollable, svg, whenSized } from "./dom.js";
import { dateOf, sexOf, t } from "./words.js";

export class DocumentFields {
  #box = document.getElementById("document");

  constructor() {
    whenSized(this.#box, () => this.#fit());
  }

  /** While a document is looked at, nothing stands here: the eye is not drawn to what is gone at once. */
  show(state) {
    const shown = state.document;
    draw(this.#box, [shown, state.entered, state.state], () => {
      if (shown) return spelled(shown, state.entered);
      return state.state === "hold_still" ? [] : [drawing(), hint(state)];
    });
    this.#fit();
  }

  #fit() {
    scrollable(this.#box, t("The document"));
  }
}

function spelled(shown, entered) {
  const by = { typed: t("typed by hand"), corrected: t("corrected by hand"), number: t("number alone") }[
    entered
  ];
  return [
    el(
      "p",
      { class: "kind" },
      el("span", {}, shown.kind_word ?? shown.kind),
      " · ",
      state(shown.issuer, shown.issuer_name),
      by ? el("span", { class: "tag" }, by) : null,
    ),
    el("h2", { class: "names" }, names(shown)),
    el("p", { class: "number" }, printed(shown.number ?? "")),
    el(
      "dl",
      { class: "facts" },
      fact(t("Born"), [dateOf(shown.birth_date), age(shown)]),
      fact(t("Sex"), sexOf(shown.sex)),
      fact(t("Nationality"), state(shown.nationality, shown.nationality_name)),
      fact(t("Expires"), [
        dateOf(shown.expiry_date),
        shown.expired ? el("strong", { class: "tag" }, t("expired")) : null,
      ]),
      shown.optional ? fact(t("Optional data"), printed(shown.optional, { class: "mono" })) : null,
    ),
  ];
}

function names(shown) {
  return [
    shown.surname || shown.given_names
      ? el(
          "span",
          { dir: "ltr", translate: "no" },
          el("span", { class: "surname" }, shown.surname),
          ` ${shown.given_names}`,
        )
      : t("No name is printed"),
    shown.name_truncated ? el("span", { class: "tag" }, t("perhaps cut")) : null,
  ];
}

function age(shown) {
  return shown.age_word ? el("strong", { class: "age" }, shown.age_word) : null;
}

function state(code, name) {
  if (!code) return t("not given");
  return el("span", {}, name ?? t("unknown State"), " ", printed(code, { class: "code" }));
}

function fact(name, value) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

/** Where nothing was read: how a document is laid down. */
function drawing() {
  return svg(
    "svg",
    { viewBox: "0 0 220 120", class: "lay-down", "aria-hidden": "true" },
    svg("path", { d: "M40 8h140a6 6 0 0 1 6 6v92a6 6 0 0 1-6 6H40a6 6 0 0 1-6-6V14a6 6 0 0 1 6-6z" }),
    svg("path", { d: "M52 26h34v42H52zM100 32h70M100 46h54M100 60h62" }),
    svg("path", { d: "M48 86h124M48 98h124", class: "lines-of-mrz" }),
  );
}

function hint(state) {
  const faulty = ["fault", "not_checked"].includes(state.state);
  return el(
    "p",
    { class: "hint" },
    faulty
      ? t("No document is shown.")
      : t("Lay the page with the two or three lines of capitals down, flat."),
  );
}
