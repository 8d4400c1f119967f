/* What the page itself says, in the officer's language. `t` takes the English sentence as its key; the
   catalogue comes from the daemon, and a sentence without a translation is shown in English rather
   than not at all. What is printed on a document is never translated. */

import { now } from "./clock.js";
import { remember } from "./memory.js";

const REGION = { en: "en-GB" };
const FIRST_STRONG = "\u2068";
const ISOLATE_ENDS = "\u2069";

let spoken = null;
let words = {};
let direction = "ltr";

/** The language that was chosen, or null before one is known. */
export function language() {
  return spoken;
}

/** Speaks `lang` from now on, with a catalogue as the daemon serves it. */
export function speak(lang, catalogue) {
  spoken = lang;
  words = catalogue?.text ?? {};
  direction = catalogue?.direction ?? "ltr";
  document.documentElement.lang = lang;
  document.documentElement.dir = direction;
  remember("direction", direction);
}

/** A sentence in the officer's language; `{name}` in it becomes the value of that name, kept apart from
 *  the direction of the text around it. */
export function t(english, values = {}) {
  return (words[english] ?? english).replaceAll(/\{(\w+)\}/g, (whole, name) => {
    if (!(name in values)) return whole;
    return direction === "rtl" ? `${FIRST_STRONG}${values[name]}${ISOLATE_ENDS}` : String(values[name]);
  });
}

/** A document's date, which may lack its day or its month. Digits stay the document's. */
export function dateOf(iso) {
  if (!iso) return t("not given");
  const parts = [
    { year: "numeric" },
    { month: "short", year: "numeric" },
    { day: "numeric", month: "short", year: "numeric" },
  ][(iso.length - 4) / 3];
  const whole = `${iso}-01-01`.slice(0, 10);
  return told(parts, new Date(`${whole}T00:00:00Z`), "UTC");
}

/** The time of day at the desk. */
export function timeOf(moment, withSeconds = false) {
  const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return told(withSeconds ? { ...parts, second: "2-digit" } : parts, new Date(moment));
}

/** How long it is until a moment, to the minute: never a countdown that makes nervous. */
export function until(iso) {
  const seconds = (Date.parse(iso) - now()) / 1000;
  if (seconds <= 0) return null;
  if (seconds < 60) return t("less than a minute");
  if (seconds < 2 * 3600) return t("{n} min", { n: Math.round(seconds / 60) });
  return t("{n} h", { n: Math.round(seconds / 3600) });
}

/** The kinds of document that can be typed. */
export function kinds() {
  return {
    passport: t("Passport"),
    identity: t("Identity card"),
    visa: t("Visa"),
    residence: t("Residence permit"),
    crew: t("Crew certificate"),
    other: t("Other"),
  };
}

/** What an officer can have done with a referral. */
export function actions() {
  return {
    referred: t("Referred to the second line"),
    document_held: t("Document held"),
    handed_over: t("Person handed over"),
    released: t("Released"),
    other: t("Something else"),
  };
}

/** A sex as Doc 9303 has it, in words. */
export function sexOf(code) {
  return { F: t("Female"), M: t("Male"), X: t("Unspecified") }[code] ?? t("not given");
}

function told(parts, moment, timeZone) {
  return new Intl.DateTimeFormat(REGION[spoken] ?? spoken ?? "en-GB", {
    ...parts,
    timeZone,
    numberingSystem: "latn",
  }).format(moment);
}
