/* The shape of each state, and the place in which it stands.

   Three places stand one above the other, as the lamps stand beside each other: at the top what wants
   the officer, in the middle what may go on, at the bottom the desk that waits. *Refer* and *look
   closer* have the same outline in the same place and colour: they differ in the word and in a mark
   inside that can be read at arm's length and not from across the desk. */

import { svg } from "./dom.js";

const DIAMOND = "M32 2 62 32 32 62 2 32z";
const DISC = "M32 4a28 28 0 1 1 0 56a28 28 0 1 1 0-56z";
const TRAY = "M8 16h48a4 4 0 0 1 4 4v24a4 4 0 0 1-4 4H8a4 4 0 0 1-4-4V20a4 4 0 0 1 4-4z";
const SQUARE = "M10 6h44a4 4 0 0 1 4 4v44a4 4 0 0 1-4 4H10a4 4 0 0 1-4-4V10a4 4 0 0 1 4-4z";

export const PLACES = ["high", "middle", "low"];
const OUTLINE = { high: DIAMOND, middle: DISC, low: TRAY };

/* `body` is filled, or only drawn where the state is hollow; `inside` is cut out of it or drawn in it. */
const SHAPES = {
  ready: { place: "low", tone: "wait", body: TRAY, hollow: true, inside: "M14 36h36M14 42h36" },
  hold_still: { place: "low", tone: "wait", body: TRAY, inside: "M25 23v18M39 23v18" },
  read_again: { place: "low", tone: "wait", body: TRAY, inside: "M41 28a10 10 0 1 0 1 8M42 22v7h-7" },
  no_record: { place: "middle", tone: "go", body: DISC, inside: "M20 33l8 8 16-18" },
  refer: { place: "high", tone: "attend", body: DIAMOND, inside: "M20 32h24M35 23l9 9-9 9" },
  look_closer: {
    place: "high",
    tone: "attend",
    body: DIAMOND,
    inside: "M29 21a8 8 0 1 1 0 16a8 8 0 1 1 0-16zM35 36l8 8",
  },
  not_checked: { place: "high", tone: "none", body: SQUARE, hollow: true, inside: "M20 32h24" },
  fault: { place: "high", tone: "none", body: SQUARE, hollow: true, inside: "M22 22l20 20M42 22L22 42" },
  lost: { place: "high", tone: "none", body: SQUARE, hollow: true, inside: "M18 32h9M37 32h9M30 24l4 16" },
};

/** What is known of a state's look; a state that this page does not know looks like a fault. */
export function shapeOf(state) {
  return SHAPES[state] ?? SHAPES.fault;
}

/** The shape of a state. */
export function shape(state) {
  const { body, hollow, inside } = shapeOf(state);
  return svg(
    "svg",
    { viewBox: "0 0 64 64", class: hollow ? "shape hollow" : "shape", "aria-hidden": "true" },
    svg("path", { d: body, class: "body" }),
    svg("path", { d: inside, class: state === "refer" ? "inside turns" : "inside" }),
  );
}

/** The outline of a place in which nothing stands. */
export function outline(place) {
  return svg(
    "svg",
    { viewBox: "0 0 64 64", class: "shape empty", "aria-hidden": "true" },
    svg("path", { d: OUTLINE[place], class: "body" }),
  );
}
