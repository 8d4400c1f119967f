/* Asking the daemon. Every failure comes as one kind of error with a sentence for people. */

import { language, t } from "./words.js";

const PATIENCE_MS = 8000;

/** A request that did not succeed. `code` is the daemon's, or `unreachable` where it did not answer. */
export class WireError extends Error {
  constructor(code, message, field = null) {
    super(message);
    Object.assign(this, { code, field });
  }
}

/** What the daemon says at `path`. */
export function get(path) {
  return ask(path, {});
}

/** Tells the daemon what the officer wants. */
export function post(path, body = {}) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** `path` with the language in which the daemon shall answer; without one where none is chosen yet. */
export function spoken(path, lang = language()) {
  return lang ? `${path}${path.includes("?") ? "&" : "?"}${new URLSearchParams({ lang })}` : path;
}

async function ask(path, options) {
  let response;
  let said;
  try {
    response = await fetch(spoken(path), {
      ...options,
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    said = response.status === 204 ? {} : await response.json();
  } catch {
    if (!response || response.ok) throw new WireError("unreachable", t("The desk does not answer."));
    said = {};
  }
  if (response.ok) return said;
  const { code = "failed", message = null, field = null } = said.error ?? {};
  throw new WireError(
    code,
    message ?? t("That could not be done ({status}).", { status: response.status }),
    field,
  );
}
