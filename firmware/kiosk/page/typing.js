/* Typing a document in where nothing reads it: the lines, with each check digit worked out while they
   are typed and what is wrong shown below its character, or the number with State and kind alone. The
   daemon judges what is typed like anything that was read; a number alone is never clear. */

import { button, el, scrollable } from "./dom.js";
import { letterKeys, typeInto } from "./keypad.js";
import { Sheet, choices } from "./sheet.js";
import { post } from "./wire.js";
import { kinds, t } from "./words.js";

const SHAPES = { "2x44": [2, 44], "2x36": [2, 36], "3x30": [3, 30] };
const NUMBER = "number";
const PAUSE_MS = 120;

/** Opens the sheet. Lines that were read, but not for sure, are there to be put right. */
export function typeIn(state) {
  new Typing(state).open();
}

class Typing {
  #sheet;
  #read;
  #shape;
  #fields = [];
  #rulers = [];
  #focused = null;
  #asking = null;
  #asked = 0;
  #faults = el("ul", { class: "typed-faults", "aria-live": "polite" });
  #form = el("form", { submit: (event) => this.#submit(event) });

  constructor(state) {
    this.#read = state.state === "read_again" ? (state.mrz ?? []) : [];
    const lines = this.#read.map((line) => line.text);
    const printed = state.drill?.printed ?? [];
    this.#shape = shapeFor(printed) ?? shapeFor(lines) ?? "2x44";
    this.#sheet = new Sheet(t("Type it in"), {
      name: "typing",
      tools: choices(
        t("What is typed"),
        "shape",
        [
          ["2x44", "2 × 44", { title: t("Passport, large visa") }],
          ["2x36", "2 × 36", { title: t("Identity card, small visa") }],
          ["3x30", "3 × 30", { title: t("Card") }],
          [NUMBER, t("Number alone")],
        ],
        this.#shape,
        (shape) => this.#become(shape),
      ),
    });
    const done = button(
      { class: "primary done", type: "submit", pointerdown: (event) => event.preventDefault() },
      t("Check"),
    );
    const model = printed.map((line) => el("p", { dir: "ltr", translate: "no" }, line));
    this.#form.append(
      model.length ? el("div", { class: "typed-model" }, model) : "",
      el("div", { class: "typed-fields" }),
      this.#faults,
      letterKeys((pressed) => typeInto(this.#focused ?? this.#fields[0], pressed), { done }),
    );
    this.#sheet.body.append(this.#form);
    this.#become(this.#shape, lines);
  }

  /** The first character that is doubtful is selected, to be typed over. */
  open() {
    const line = Math.max(
      0,
      this.#read.findIndex((one) => one.doubtful.length),
    );
    this.#sheet.open(this.#fields[line]);
    const at = this.#read[line]?.doubtful[0]?.position;
    if (at !== undefined) this.#fields[line].setSelectionRange(at, at + 1);
    this.#check();
  }

  #become(shape, lines = null) {
    const typed = lines ?? (this.#shape === NUMBER ? [] : this.#fields.map((field) => field.value));
    this.#shape = shape;
    this.#form.dataset.shape = shape;
    this.#rulers = [];
    this.#fields = [];
    const box = this.#form.querySelector(".typed-fields");
    box.replaceChildren(...(shape === NUMBER ? this.#number() : this.#lines(shape, typed)));
    box.classList.toggle("alone", shape === NUMBER);
    this.#faults.replaceChildren(
      ...(shape === NUMBER
        ? [el("li", {}, t("A number alone can be found on a list, but is never clear: nothing was read."))]
        : []),
    );
    this.#focused = this.#fields[0];
    if (box.isConnected) this.#focused.focus();
    this.#check();
  }

  #lines(shape, typed) {
    const [rows, width] = SHAPES[shape];
    return Array.from({ length: rows }, (_, at) => {
      const field = this.#field(`line-${at}`, { value: typed[at] ?? "", class: "typed-line", "--n": width });
      field.addEventListener("paste", (event) => this.#paste(event, at));
      const ruler = el("div", { class: "ruler", "aria-hidden": "true" });
      const count = el("span", { class: "count" });
      this.#rulers.push({ ruler, count, width });
      return el(
        "div",
        { class: "typed-row" },
        el("label", { for: `line-${at}`, class: "for-ears" }, t("Line {n}", { n: at + 1 })),
        el("div", { class: "typed-cells", dir: "ltr", "--n": width }, field, ruler),
        count,
      );
    });
  }

  #number() {
    const labelled = (field, label, hint) =>
      el("div", {}, el("label", { for: field.id }, label), field, el("p", { class: "soft" }, hint));
    return [
      labelled(this.#field("number", { maxlength: 30 }), t("Document number"), t("as it is printed")),
      labelled(this.#field("issuer", { maxlength: 3 }), t("State"), t("its code of one to three letters")),
      choices(t("Kind"), "kind", Object.entries(kinds()), "passport", () => {}),
    ];
  }

  #field(id, attributes) {
    const field = el("input", {
      id,
      type: "text",
      inputmode: "none",
      autocomplete: "off",
      autocapitalize: "characters",
      spellcheck: "false",
      dir: "ltr",
      translate: "no",
      focus: () => (this.#focused = field),
      input: () => this.#typed(field),
      keydown: (event) => event.key === "Enter" && this.#next(event, field),
      ...attributes,
    });
    this.#fields.push(field);
    return field;
  }

  #typed(field) {
    const at = field.selectionStart;
    const clean = field.value
      .toUpperCase()
      .replaceAll(/[ _«]/g, "<")
      .replaceAll(/[^A-Z0-9<]/g, "");
    if (clean !== field.value) {
      const moved = field.value.length - clean.length;
      field.value = clean;
      field.setSelectionRange(at - moved, at - moved);
    }
    this.#check();
  }

  #paste(event, at) {
    const lines = event.clipboardData
      .getData("text")
      .trim()
      .split(/\s*\n\s*/);
    if (lines.length < 2) return;
    event.preventDefault();
    lines.slice(0, this.#fields.length - at).forEach((line, n) => {
      this.#fields[at + n].value = line;
      this.#typed(this.#fields[at + n]);
    });
  }

  /** Enter goes to the next field; in the last one it sends. */
  #next(event, field) {
    const next = this.#fields[this.#fields.indexOf(field) + 1];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  /** Asks what is wrong so far, once the fingers rest for a moment. */
  #check() {
    for (const [at, { count, width }] of this.#rulers.entries()) {
      count.textContent = t("{n} of {all}", { n: this.#fields[at].value.length, all: width });
    }
    clearTimeout(this.#asking);
    if (this.#shape === NUMBER) return;
    this.#asking = setTimeout(() => this.#ask(), PAUSE_MS);
  }

  async #ask() {
    const lines = this.#fields.map((field) => field.value);
    if (!lines.some(Boolean))
      return this.#tellFaults([], [t("Type the lines as they are printed; a space counts as <.")]);
    const mine = (this.#asked += 1);
    try {
      const said = await post("/kiosk/typed/check", { lines });
      if (mine === this.#asked && this.#shape !== NUMBER) this.#tellFaults(said.lines);
    } catch (error) {
      this.#sheet.tell(error);
    }
  }

  #tellFaults(lines, told = []) {
    for (const [at, { ruler, width }] of this.#rulers.entries()) {
      const { problems = [], check_digits: digits = [] } = lines[at] ?? {};
      const marks = Array.from({ length: width }, () => el("span", {}));
      const mark = (position, sort, sign) =>
        marks[position] && Object.assign(marks[position], { className: sort, textContent: sign });
      const say = (position, message) =>
        told.push(
          t("Line {line}, character {position}: {message}", {
            line: at + 1,
            position: position + 1,
            message,
          }),
        );
      for (const { position, expected, got } of digits) {
        const right = expected === got;
        mark(position, right ? "right" : "wrong", right ? "✓" : "✕");
        if (!right && got) say(position, t("the check digit would be {expected}", { expected }));
      }
      for (const { position, message } of problems) {
        mark(position, "wrong", "▲");
        say(position, message);
      }
      ruler.replaceChildren(...marks);
    }
    this.#faults.replaceChildren(...told.map((line) => el("li", { dir: "auto" }, line)));
    scrollable(this.#faults, t("What is wrong"));
  }

  async #submit(event) {
    event.preventDefault();
    const value = (id) => this.#form.querySelector(`#${id}`).value;
    const body =
      this.#shape === NUMBER
        ? { number: value("number"), issuer: value("issuer"), kind: this.#form.elements.kind.value }
        : { lines: this.#fields.map((field) => field.value) };
    if (await this.#sheet.attempt(() => post("/kiosk/typed", body))) this.#sheet.close();
  }
}

function shapeFor(lines) {
  return Object.keys(SHAPES).find(
    (key) => SHAPES[key][0] === lines.length && SHAPES[key][1] === lines[0].length,
  );
}
