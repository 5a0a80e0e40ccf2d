import { post } from "./api.js";
import { ATTACHMENT, BOOLEAN, valueOf } from "./commandline.js";
import { byId, debounce, el } from "./dom.js";
import { state } from "./store.js";
import { Suggestions } from "./suggestions.js";

const AUTOCOMPLETE_MILLISECONDS = 250;
const BOOLEANS = [{ name: "true", value: true }, { name: "false", value: false }];

/**
 * A chosen command with its parameters as fields, one after the other: required ones at once, optional ones when
 * asked for. `onRun(command, options)` gets the values as Discord sends them; `onCancel()` goes back to plain text.
 */
export class CommandForm {
  constructor({ onRun, onCancel }) {
    this.onRun = onRun;
    this.onCancel = onCancel;
    this.root = byId("command-form");
    this.fields = byId("command-fields");
    this.suggestions = new Suggestions(byId("option-list"), (item) => this.pick(item));
    this.asked = 0;
    this.askSoon = debounce(AUTOCOMPLETE_MILLISECONDS, (input, option) => this.ask(input, option));
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.advance();
    });
    byId("command-cancel").addEventListener("click", () => this.cancel());
  }

  get open() {
    return !this.root.hidden;
  }

  /** `values`: Map from option name to `{text, value}`; value is what a suggestion stands for, if one was taken. */
  show(command, values = new Map()) {
    this.command = command;
    this.root.hidden = false;
    byId("command-name").textContent = `/${command.name}`;
    this.say(command.description);
    this.fields.replaceChildren();
    for (const option of command.options) {
      if (option.required || values.has(option.name)) this.add(option, values.get(option.name));
      else this.fields.append(this.offer(option));
    }
    (this.firstGap() ?? this.inputs().at(-1) ?? byId("command-run")).focus();
  }

  hide() {
    this.suggestions.hide();
    this.asked++;
    this.root.hidden = true;
    this.fields.replaceChildren();
  }

  cancel() {
    this.hide();
    this.onCancel();
  }

  inputs() {
    return [...this.fields.querySelectorAll("input")];
  }

  firstGap() {
    return this.inputs().find((input) => input.required && !input.value);
  }

  say(text, isError = false) {
    const hint = byId("command-hint");
    hint.textContent = text;
    hint.classList.toggle("error", isError);
  }

  offer(option) {
    const add = () => {
      offer.remove();
      this.add(option).focus();
    };
    const offer = el("button", { type: "button", class: "add-option", title: option.description, text: `+ ${option.name}`, on: { click: add } });
    return offer;
  }

  /** Puts the option's field after the existing ones, before the options that are still offered. */
  add(option, initial) {
    const id = `option-${option.name}`;
    const input = el("input", {
      id,
      name: option.name,
      type: option.type === ATTACHMENT ? "file" : "text",
      required: option.required,
      autocomplete: "off",
      spellcheck: "false",
      "aria-describedby": "command-hint",
    });
    if (initial && input.type !== "file") {
      input.value = initial.text;
      if (initial.value !== undefined) this.remember(input, initial);
    }
    input.addEventListener("input", () => this.suggest(input, option));
    input.addEventListener("focus", () => this.enter(input, option));
    input.addEventListener("blur", () => this.suggestions.hide());
    input.addEventListener("keydown", (event) => this.key(event, input, option));
    const field = el("span", { class: "option-field" }, el("label", { for: id, text: option.name }), input);
    this.fields.insertBefore(field, this.fields.querySelector(".add-option"));
    return input;
  }

  remember(input, { text, value }) {
    input.taken = { text, value };
  }

  enter(input, option) {
    this.say(option.description);
    this.suggest(input, option, { soon: false });
  }

  suggest(input, option, { soon = true } = {}) {
    const choices = option.choices ?? (option.type === BOOLEAN ? BOOLEANS : null);
    if (choices) this.offerChoices(input, choices);
    else if (option.autocomplete && soon) this.askSoon(input, option);
    else if (option.autocomplete) this.ask(input, option);
    else this.suggestions.hide();
  }

  offerChoices(input, choices) {
    const typed = input.value.toLowerCase();
    const fits = choices.filter(({ name }) => name.toLowerCase().includes(typed));
    this.showChoices(input, fits.length ? fits : choices);
  }

  showChoices(input, choices) {
    const items = choices.map(({ name, value }) => ({ label: name, value, input }));
    const typed = input.value.length > 0 && input.taken?.text !== input.value;
    this.suggestions.show(input, items, { active: typed ? 0 : -1 });
  }

  async ask(input, option) {
    const question = ++this.asked;
    const options = Object.fromEntries(this.inputs().filter(({ value }) => value).map((field) => [field.name, this.rawValue(field)]));
    options[option.name] = input.value;
    const body = { user: state.viewer, channel: state.channel, name: this.command.name, options, focused: option.name };
    try {
      const { choices } = await post("/api/autocomplete", body);
      if (question !== this.asked || document.activeElement !== input) return;
      this.showChoices(input, choices);
      this.say(choices.length || !input.value ? option.description : "No options match your search.");
    } catch (error) {
      if (question === this.asked) this.say(error.message, true);
    }
  }

  rawValue(input) {
    return input.taken?.text === input.value ? input.taken.value : input.value;
  }

  pick({ input, label, value }) {
    input.value = label;
    this.remember(input, { text: label, value });
    this.asked++;
    const gap = this.firstGap();
    if (gap) gap.focus();
  }

  key(event, input, option) {
    if (this.suggestions.field === input && this.suggestions.handleKey(event)) return;
    if (event.key === "Escape") this.cancel();
    else if (event.key === "Backspace" && !input.value) this.stepBack(input, option);
    else return;
    event.preventDefault();
  }

  /** Backspace in an empty field takes the field away, or leaves the command at its first one. */
  stepBack(input, option) {
    const inputs = this.inputs();
    const previous = inputs[inputs.indexOf(input) - 1];
    if (!option.required) {
      input.closest(".option-field").remove();
      this.fields.append(this.offer(option));
    } else if (!previous) {
      this.cancel();
      return;
    }
    (previous ?? this.inputs()[0] ?? byId("command-run")).focus();
  }

  async advance() {
    const gap = this.firstGap();
    if (gap) {
      gap.focus();
      this.say(`${gap.name} is required.`, true);
      return;
    }
    try {
      this.onRun(this.command, await this.options());
    } catch (error) {
      this.say(error.message, true);
    }
  }

  async options() {
    const options = {};
    for (const input of this.inputs()) {
      if (!input.value) continue;
      const option = this.command.options.find(({ name }) => name === input.name);
      if (option.type === ATTACHMENT) options[input.name] = await fileOf(input);
      else options[input.name] = input.taken?.text === input.value ? input.taken.value : valueOf(option, input.value.trim());
    }
    return options;
  }
}

async function fileOf(input) {
  const file = input.files[0];
  const bytes = new Uint8Array(await file.arrayBuffer());
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return { filename: file.name, content_type: file.type || "text/plain", data: btoa(binary) };
}
