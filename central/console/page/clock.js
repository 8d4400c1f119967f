/* The server's clock. A browser's clock may be wrong by hours, and a deadline is the server's; so the
   page takes the server's word for the time whenever it hears from it and counts on from there with
   the browser's monotonic clock, which nobody sets. */

let base = null;
let heardAt = 0;

/** The server says that it is `iso` now. */
export function heard(iso) {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return;
  base = ms;
  heardAt = performance.now();
}

/** Milliseconds since 1970 by the server's clock; by the browser's before the server was heard. */
export function now() {
  return base === null ? Date.now() : base + (performance.now() - heardAt);
}
