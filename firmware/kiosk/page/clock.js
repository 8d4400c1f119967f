/* The daemon's clock, which deadlines are counted by: the browser's own may be off. The page takes the
   daemon's word whenever it hears it, and counts on with the monotonic clock that nobody sets. */

let base = null;
let heardAt = 0;

/** The daemon says that it is `iso` now. */
export function heard(iso) {
  const moment = Date.parse(iso);
  if (Number.isNaN(moment)) return;
  base = moment;
  heardAt = performance.now();
}

/** Milliseconds since 1970. */
export function now() {
  return base === null ? Date.now() : base + performance.now() - heardAt;
}
