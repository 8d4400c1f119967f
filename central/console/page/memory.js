/* What this browser remembers: settings and the ids of alerts that have sounded, for good and for all
   its tabs; drafts of answers only in this tab and until it is closed or the operator signs out, since
   a draft may name somebody. A browser that keeps nothing loses only that. */

const PREFIX = "borderpost.";

/** A remembered value, or `otherwise`. */
export function recall(name, otherwise = null) {
  return read(localStorageOrNone(), name, otherwise);
}

/** Remembers a value for every tab. */
export function remember(name, value) {
  write(localStorageOrNone(), name, value);
}

/** A value of this tab, or `otherwise`. */
export function recallHere(name, otherwise = null) {
  return read(sessionStorageOrNone(), name, otherwise);
}

/** Remembers a value in this tab; null forgets it. */
export function rememberHere(name, value) {
  write(sessionStorageOrNone(), name, value);
}

/** Forgets everything that this tab alone remembers. */
export function forgetHere() {
  const store = sessionStorageOrNone();
  if (!store) return;
  for (const key of Object.keys(store)) if (key.startsWith(PREFIX)) store.removeItem(key);
}

function read(store, name, otherwise) {
  try {
    const text = store?.getItem(PREFIX + name);
    return text === null || text === undefined ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

function write(store, name, value) {
  try {
    if (value === null) store?.removeItem(PREFIX + name);
    else store?.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Full or forbidden.
  }
}

function localStorageOrNone() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

function sessionStorageOrNone() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}
