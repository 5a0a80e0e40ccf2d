import { el } from "./dom.js";

let serial = 0;

/**
 * A list of suggestions that belongs to a text field (the ARIA combobox pattern). The field keeps the focus; the
 * arrow keys move a highlight, Tab and Enter take what is highlighted, Escape closes. Items: `{label, detail, heading,
 * ...}`; `onPick` gets the item that was taken, unchanged.
 */
export class Suggestions {
  constructor(list, onPick) {
    this.list = list;
    this.onPick = onPick;
    this.items = [];
    this.active = -1;
    this.field = null;
    list.id ||= `suggestions-${++serial}`;
    list.setAttribute("role", "listbox");
    list.hidden = true;
  }

  get open() {
    return !this.list.hidden;
  }

  /** `active`: the item highlighted from the start, -1 for none, so that Enter keeps its own meaning. */
  show(field, items, { active = -1, title = "" } = {}) {
    if (this.field !== field) this.hide();
    this.field = field;
    this.items = items;
    this.list.replaceChildren(
      ...(title ? [el("li", { class: "title", role: "presentation", text: title })] : []),
      ...items.map((item, index) => this.row(item, index)),
    );
    this.list.hidden = items.length === 0;
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-controls", this.list.id);
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-expanded", String(this.open));
    this.highlight(active);
  }

  row(item, index) {
    const pick = (event) => {
      event.preventDefault();
      this.take(index);
    };
    return el(
      "li",
      { role: "option", id: `${this.list.id}-${index}`, "aria-selected": "false", on: { mousedown: pick } },
      el("span", { class: "label", text: item.label }),
      item.hint ? el("span", { class: "hint", text: item.hint }) : null,
      item.detail ? el("span", { class: "detail", text: item.detail }) : null,
    );
  }

  hide() {
    this.list.hidden = true;
    this.items = [];
    this.active = -1;
    this.field?.setAttribute("aria-expanded", "false");
    this.field?.removeAttribute("aria-activedescendant");
  }

  highlight(index) {
    this.active = index;
    for (const option of this.list.querySelectorAll("[role=option]")) option.setAttribute("aria-selected", "false");
    const chosen = document.getElementById(`${this.list.id}-${index}`);
    chosen?.setAttribute("aria-selected", "true");
    chosen?.scrollIntoView({ block: "nearest" });
    if (chosen) this.field.setAttribute("aria-activedescendant", chosen.id);
    else this.field?.removeAttribute("aria-activedescendant");
  }

  take(index) {
    const item = this.items[index];
    this.hide();
    if (item) this.onPick(item);
  }

  /** Handles a key of the field; true when the key is used up. */
  handleKey(event) {
    if (!this.open || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.highlight((this.active + step + this.items.length + (this.active < 0 && step < 0 ? 1 : 0)) % this.items.length);
    else if (event.key === "Escape") this.hide();
    else if ((event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) && this.active >= 0) this.take(this.active);
    else return false;
    event.preventDefault();
    return true;
  }
}
