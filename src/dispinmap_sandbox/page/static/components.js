import { el } from "./dom.js";

const ROW = 1;
const BUTTON = 2;
const SELECT = 3;
const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };

/**
 * The buttons and menus under a message. `actions.click(customId)` and `actions.choose(customId, values)` tell
 * the bot what the person did.
 */
export function componentRows(components, actions) {
  return (components ?? []).filter(({ type }) => type === ROW).map((row) =>
    el("div", { class: "component-row" }, (row.components ?? []).map((part) => component(part, actions))),
  );
}

function component(part, actions) {
  if (part.type === BUTTON) return part.style === 5 ? linkButton(part) : button(part, actions);
  if (part.type === SELECT) return menu(part, actions);
  return null;
}

const caption = (part) => [part.emoji?.name, part.label].filter(Boolean).join(" ");

function linkButton(part) {
  return el("a", { class: "button link", href: part.url, target: "_blank", rel: "noopener noreferrer", text: `${caption(part)} ↗` });
}

function button(part, actions) {
  const press = async (event) => {
    const node = event.currentTarget;
    node.classList.add("waiting");
    node.setAttribute("aria-busy", "true");
    await actions.click(part.custom_id);
    node.classList.remove("waiting");
    node.removeAttribute("aria-busy");
  };
  return el("button", {
    type: "button",
    class: `button ${STYLES[part.style] ?? "secondary"}`,
    disabled: part.disabled,
    "aria-label": part.label ? null : caption(part),
    text: caption(part),
    on: { click: press },
  });
}

/** A string select: a button that opens a list; one value is sent at once, several when the list closes. */
function menu(part, actions) {
  const several = (part.max_values ?? 1) > 1;
  const chosen = new Set(part.options.filter((option) => option.default).map((option) => option.value));
  const labels = () => part.options.filter(({ value }) => chosen.has(value)).map(({ label }) => label).join(", ");
  const list = el("ul", { class: "menu-list", role: "listbox", tabindex: "-1", "aria-multiselectable": several, hidden: true });
  const text = el("span", { class: "menu-text", text: labels() || part.placeholder || "Make a selection" });
  const opener = el(
    "button",
    { type: "button", class: "menu-button", disabled: part.disabled, "aria-haspopup": "listbox", "aria-expanded": "false" },
    text,
    el("span", { class: "chevron", "aria-hidden": "true", text: "▾" }),
  );
  const rows = part.options.map((option) => optionRow(option, chosen.has(option.value)));
  list.append(...rows);
  const root = el("div", { class: "menu" }, opener, list);

  const show = (open) => {
    list.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    if (open) (rows.find((row) => row.getAttribute("aria-selected") === "true") ?? rows[0])?.focus();
    else if (root.contains(document.activeElement)) opener.focus();
  };
  const send = () => actions.choose(part.custom_id, [...chosen]);
  const pick = (index) => {
    const { value } = part.options[index];
    if (!several) chosen.clear();
    if (!chosen.delete(value) && chosen.size < (part.max_values ?? 1)) chosen.add(value);
    rows.forEach((row, number) => row.setAttribute("aria-selected", String(chosen.has(part.options[number].value))));
    text.textContent = labels() || part.placeholder || "Make a selection";
    if (!several) {
      show(false);
      send();
    }
  };
  const close = () => {
    if (list.hidden) return;
    show(false);
    if (several && chosen.size >= (part.min_values ?? 1)) send();
  };
  opener.addEventListener("click", () => (list.hidden ? show(true) : close()));
  rows.forEach((row, index) => row.addEventListener("click", () => pick(index)));
  list.addEventListener("keydown", (event) => menuKey(event, rows, pick, close));
  root.addEventListener("focusout", (event) => root.contains(event.relatedTarget) || close());
  return root;
}

function optionRow(option, selected) {
  return el(
    "li",
    { role: "option", tabindex: "-1", "aria-selected": String(selected) },
    el("span", { class: "label", text: caption(option) }),
    option.description ? el("span", { class: "detail", text: option.description }) : null,
  );
}

function menuKey(event, rows, pick, close) {
  const here = rows.indexOf(document.activeElement);
  if (event.key === "ArrowDown") rows[Math.min(here + 1, rows.length - 1)].focus();
  else if (event.key === "ArrowUp") rows[Math.max(here - 1, 0)].focus();
  else if (event.key === "Home") rows[0].focus();
  else if (event.key === "End") rows.at(-1).focus();
  else if (event.key === "Enter" || event.key === " ") pick(here);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
}
