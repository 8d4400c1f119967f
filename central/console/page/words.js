/* How things are said to people: times, spans, and the codes of the wire in plain words. A code that
   is not in a table is shown as it is, with its underscores as spaces, so nothing is ever left out. */

import { now } from "./clock.js";

export const OUTCOME = {
  HIT: { word: "Hit", mark: "◆", tone: "hit" },
  POSSIBLE: { word: "Possible", mark: "◇", tone: "possible" },
};

export const ANSWER = {
  confirmed: { word: "Confirmed", mark: "◆", tone: "hit", means: "The record is about this document." },
  not_confirmed: {
    word: "Not confirmed",
    mark: "✓",
    tone: "good",
    means: "The record is not about this document, or no longer holds.",
  },
  need_more: {
    word: "Need more",
    mark: "?",
    tone: "ask",
    means: "More is needed from the desk before it can be decided.",
  },
};

export const ACTION = {
  referred: "Traveller referred",
  document_held: "Document held",
  handed_over: "Handed over",
  released: "Released",
  other: "Something else was done",
};

/** How a document came to the desk, where nothing read it or not all of it. */
export const ENTERED = {
  typed: "typed by the officer: nothing could read it",
  corrected: "read, and corrected by the officer",
  number: "the number alone was typed by the officer",
};
export const KIND = {
  passport: "passport",
  identity: "identity card",
  visa: "visa",
  residence: "residence permit",
  crew: "crew member certificate",
  other: "travel document",
};

export const ASKED_AS = {
  number: "the number as printed",
  cut_at_nine: "the long number, cut to the nine characters that lists hold",
  passport_of_visa: "the visa's number as a passport of the holder's State",
  issuer_alias: "another code of the same State",
  candidate: "what an uncertain character may also be",
  look_alike: "a number with look-alike characters",
  issuer_look_alike: "a State whose code is one letter away",
  nationality_as_issuer: "the holder's State as issuer",
};

export const HEALTH = {
  ok: "in order",
  over_age: "too old",
  missing: "missing",
  damaged: "damaged",
  locked: "locked: its key is not there",
};

const SPOKEN = Object.fromEntries(
  (
    "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa " +
    "Quebec Romeo Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu"
  )
    .split(" ")
    .map((word) => [word[0], word]),
);

const DAY_S = 86400;
const clockTime = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const dayInUtc = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const monthInUtc = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });
const zoneName = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

/** A code of the wire in plain words. */
export function plain(code, table = {}) {
  return table[code] ?? String(code).replaceAll("_", " ");
}

/** With a capital first. */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The time of day at the operator's place. */
export function timeOf(moment) {
  return clockTime.format(new Date(moment));
}

/** The day at the operator's place. */
export function dayOf(iso) {
  return day.format(new Date(iso));
}

/** Day and time at the operator's place; the day is left out where it is today's. */
export function momentOf(iso) {
  if (!iso) return "–";
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime())) return "–";
  const told = day.format(moment);
  return told === day.format(new Date(now())) ? timeOf(moment) : `${told}, ${timeOf(moment)}`;
}

/** The name of the operator's time zone, as in "CET". */
export function zone() {
  return zoneName.formatToParts(new Date(now())).find((part) => part.type === "timeZoneName")?.value ?? "";
}

/** A span of time as it is said: "12 s", "4 min", "3 h 20 min", "9 days". */
export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 2 * DAY_S) {
    const minutes = Math.floor((s % 3600) / 60);
    return `${Math.floor(s / 3600)} h${minutes ? ` ${minutes} min` : ""}`;
  }
  return `${Math.floor(s / DAY_S)} days`;
}

/** A short span to the second: "94 s", "3 min 50 s". */
export function exactSpan(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s >= 3600) return span(s);
  return `${Math.floor(s / 60)} min${s % 60 ? ` ${s % 60} s` : ""}`;
}

/** How long ago a moment is. */
export function ago(iso) {
  const seconds = (now() - Date.parse(iso)) / 1000;
  return seconds < 1 ? "just now" : `${span(seconds)} ago`;
}

/** Time left as a clock counts it: "4:59", "1:02:03"; with a minus once it has run out. */
export function countdown(ms) {
  const passed = ms < 0;
  const s = passed ? Math.floor(-ms / 1000) : Math.ceil(ms / 1000);
  if (s >= 100 * 3600) return `${passed ? "−" : ""}${Math.floor(s / DAY_S)} days`;
  const parts = [Math.floor((s % 3600) / 60), s % 60].map((n) => String(n).padStart(2, "0"));
  if (s >= 3600) parts.unshift(Math.floor(s / 3600));
  else parts[0] = String(Number(parts[0]));
  return (passed ? "−" : "") + parts.join(":");
}

/** A document's date, which may lack its day or month. */
export function dateOf(iso) {
  if (!iso) return "not given";
  if (iso.length === 4) return `${iso}, day and month not given`;
  if (iso.length === 7) return `${monthInUtc.format(new Date(`${iso}-01T00:00:00Z`))}, day not given`;
  return dayInUtc.format(new Date(`${iso}T00:00:00Z`));
}

/** Whole years since a date of birth, as far as it says them; null where it does not. */
export function ageOf(iso) {
  if (!iso) return null;
  const today = new Date(now()).toISOString().slice(0, 10);
  const years = Number(today.slice(0, 4)) - Number(iso.slice(0, 4));
  if (iso.length < 10) return `about ${years}`;
  return String(today.slice(5) < iso.slice(5) ? years - 1 : years);
}

/** Whether a document's last day is over. */
export function isOver(iso) {
  return iso ? new Date(now()).toISOString().slice(0, iso.length) > iso : false;
}

/** A number as it is read out over a telephone. */
export function spoken(number) {
  return [...number].map((character) => SPOKEN[character] ?? character).join(" ");
}

/** Surname first, as printed. */
export function nameOf(document) {
  return [document.surname, document.given_names].filter(Boolean).join(", ") || "no name";
}

/** A State by name and code. */
export function stateOf(code, name) {
  if (!code) return "not given";
  return name ? `${name} · ${code}` : `${code} · no State has this code`;
}

/** Checkpoint and desk. */
export function placeOf({ site, lane }) {
  return lane ? `${site} · lane ${lane}` : site || "–";
}

/** "1 alert", "2 alerts". */
export function count(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}
