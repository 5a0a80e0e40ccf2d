/**
 * Makes an element. Strings among the children become text nodes, so the browser never reads a message as HTML.
 * `props`: `class`, `text`, `dataset`, `on` (listeners by event), and anything else as an attribute; null, undefined
 * and false leave the attribute out.
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Makes `parent` hold exactly `nodes`, touching only what differs, so that focus and live regions stay quiet. */
export function reconcile(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

/** Calls `action` after `milliseconds` without another call. */
export function debounce(milliseconds, action) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...args), milliseconds);
  };
}

/** Plural by count: `count(1, "machine")` is "1 machine". */
export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

const HUES = [12, 35, 90, 150, 185, 215, 262, 300, 335];

/** A round picture with initials; its colour follows the id, so that a person keeps theirs. */
export function avatar(id, name, size = "") {
  const initials = name.split(/[\s_.-]+/).filter(Boolean).slice(0, 2).map((word) => [...word][0]).join("");
  const node = el("span", { class: `avatar ${size}`, "aria-hidden": "true", text: initials.toUpperCase() || "?" });
  node.style.setProperty("--hue", HUES[[...String(id)].reduce((sum, digit) => sum + digit.charCodeAt(0), 0) % HUES.length]);
  return node;
}
