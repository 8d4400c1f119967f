/* What this browser remembers of the officer's choices: language, its direction, and colours; nothing else. */

const PREFIX = "borderpost.desk.";

/** What was remembered under `name`, or null. */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

/** Remembers `value`; null forgets. A browser that keeps nothing is put up with. */
export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // The choice holds until the page is loaded anew.
  }
}
