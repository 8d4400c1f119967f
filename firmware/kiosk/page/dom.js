/* Building the page. Whatever comes from the daemon becomes a text node or an attribute's value, never
   markup: a name or an instruction cannot add an element. */

const SVG = "http://www.w3.org/2000/svg";

/** An element. An attribute that is null or false is left out, a function listens to the event that it
 *  is named after, and one that begins with `--` is set as a property of its style. Children are
 *  elements or texts; null is left out. */
export function el(tag, attributes = {}, ...children) {
  return dressed(document.createElement(tag), attributes, children);
}

/** An element of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  return dressed(document.createElementNS(SVG, tag), attributes, children);
}

/** A button. */
export function button(attributes, ...children) {
  return el("button", { type: "button", ...attributes }, ...children);
}

/** Text that stays as it is printed, whatever the page's language and direction. */
export function printed(text, attributes = {}) {
  return el("span", { dir: "ltr", translate: "no", ...attributes }, text);
}

const drawn = new WeakMap();

/** Draws `parent` anew by `build`, if what it is drawn from has changed since. The focus goes to the
 *  new element with the data-key of the one that had it. */
export function draw(parent, from, build) {
  const told = JSON.stringify(from);
  if (drawn.get(parent) === told) return false;
  drawn.set(parent, told);
  const key = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  parent.replaceChildren(...[build()].flat().filter(Boolean));
  if (key) {
    const same = [...parent.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key);
    same?.focus({ preventScroll: true });
  }
  return true;
}

/** Sets a text only where it differs, so that nothing is announced for no change. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Calls `fit` now and whenever the size of a box changes. */
export function whenSized(box, fit) {
  new ResizeObserver(fit).observe(box);
  fit();
}

/** Lets the keyboard scroll a box, while there is something to scroll. */
export function scrollable(box, label) {
  if (box.scrollHeight > box.clientHeight + 1) {
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", label);
  } else {
    for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  }
}

function dressed(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name.startsWith("--")) node.style.setProperty(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
