/* Asking the server. Every answer that carries the server's time sets the clock; every failure comes
   as one kind of error with a sentence for people; a session that has ended is told to whoever
   listens, once for all requests. */

import * as clock from "./clock.js";

export const events = new EventTarget();

/** A request that did not succeed. `code` is the server's, or `unreachable` where it never answered
 *  and it is unknown whether it heard. */
export class WireError extends Error {
  constructor(status, code, message, field = null) {
    super(message);
    Object.assign(this, { status, code, field });
  }
}

/** What the server says at `path`, with `query` behind it. Empty values are left out. */
export function get(path, query = {}) {
  return ask(pathWith(path, query), {});
}

/** Tells the server something. */
export function post(path, body = {}) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** `path` with those of the `query` that have a value. */
export function pathWith(path, query) {
  const chosen = Object.entries(query).filter(
    ([, value]) => value !== "" && value !== null && value !== undefined,
  );
  return chosen.length ? `${path}?${new URLSearchParams(chosen)}` : path;
}

/** The path of an alert. */
export function alertPath(alert, rest = "") {
  return `/console/alerts/${encodeURIComponent(alert.device)}/${encodeURIComponent(alert.id)}${rest}`;
}

async function ask(path, options) {
  let response;
  let said;
  try {
    response = await fetch(path, {
      ...options,
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(15000),
    });
    said = await response.json();
  } catch (error) {
    if (response && !response.ok)
      throw new WireError(response.status, "failed", `The server answered ${response.status}.`);
    throw new WireError(0, "unreachable", "Central cannot be reached.", null, error);
  }
  if (response.ok) {
    if (said.now) clock.heard(said.now);
    return said;
  }
  if (response.status === 401) events.dispatchEvent(new Event("signed-out"));
  const {
    code = "failed",
    message = `The server answered ${response.status}.`,
    field = null,
  } = said.error ?? {};
  throw new WireError(response.status, code, message, field);
}
