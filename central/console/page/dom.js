/* Building the page. Whatever comes from the wire becomes a text node or an attribute's value, never
   markup: there is no way through here by which a name or an instruction could add an element. */

const SVG = "http://www.w3.org/2000/svg";

/** An element. `attributes` are set as they stand; one that is null or false is left out, a function
 *  listens to the event that it is named after. Children are elements or texts; null is left out. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An element of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Sets a text only where it differs, so that nothing is drawn or announced for no change. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Puts `wanted` into `parent` in this order without ever moving the element that has the focus: the
 *  others are moved around it, since an element that is moved loses the focus. */
export function arrange(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  const still = wanted.find((node) => node.contains(document.activeElement));
  const split = still ? wanted.indexOf(still) : 0;
  let next = still ?? null;
  for (const node of wanted.slice(0, split).reverse()) {
    if (node.nextElementSibling !== next || node.parentNode !== parent) parent.insertBefore(node, next);
    next = node;
  }
  let last = still ?? null;
  for (const node of wanted.slice(still ? split + 1 : 0)) {
    const place = last ? last.nextElementSibling : parent.firstElementChild;
    if (place !== node) parent.insertBefore(node, place);
    last = node;
  }
}

/** Replaces what is in `parent`, and gives the focus back to the element with the same data-key. */
export function replaceKeepingFocus(parent, ...children) {
  const active = document.activeElement;
  const key = active && parent.contains(active) ? active.dataset.key : undefined;
  parent.replaceChildren(...children.filter(Boolean));
  if (key) {
    for (const node of parent.querySelectorAll("[data-key]")) {
      if (node.dataset.key === key) node.focus({ preventScroll: true });
    }
  }
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}
