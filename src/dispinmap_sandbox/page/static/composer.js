import { get, post } from "./api.js";
import { CommandForm } from "./commandform.js";
import { commandOf, matching, missing, parameters, runnable, usage, valueOf } from "./commandline.js";
import { byId } from "./dom.js";
import { fail } from "./messages.js";
import { expect, on, state } from "./store.js";
import { Suggestions } from "./suggestions.js";

/** The line at the bottom: plain text, a typed slash command, or the way into the command form. */
export class Composer {
  constructor() {
    this.commands = [];
    this.line = byId("line");
    this.bar = byId("text-form");
    this.picker = new Suggestions(byId("command-list"), (item) => this.pick(item));
    this.form = new CommandForm({ onRun: (command, options) => this.run(command, options), onCancel: () => this.back() });
    this.line.addEventListener("input", () => this.suggest());
    this.line.addEventListener("focus", () => this.suggest());
    this.line.addEventListener("blur", () => this.picker.hide());
    this.line.addEventListener("keydown", (event) => this.key(event));
    this.bar.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    on("channels", () => this.follow());
    on("commands", () => this.load());
  }

  /** The commands depend on the speaker, the channel, and what the bot has registered so far. */
  async follow() {
    const here = `${state.viewer} ${state.channel}`;
    const channel = state.channels.find(({ id }) => id === state.channel);
    this.line.placeholder = channel ? `Message #${channel.name}, or / for commands` : "No channel";
    if (this.here === here) return;
    this.here = here;
    this.commands = [];
    if (this.form.open) this.back();
    await this.load();
  }

  async load() {
    if (!state.channel) return;
    const { here } = this;
    try {
      const { commands } = await get(`/api/commands?user=${state.viewer}&channel=${state.channel}`);
      // The speaker or the channel may have changed since.
      if (here === this.here) this.commands = runnable(commands);
    } catch (error) {
      this.explain(error.message, true);
    }
  }

  explain(text, isError = false) {
    const hint = byId("line-hint");
    hint.textContent = text;
    hint.classList.toggle("error", isError);
  }

  async suggest() {
    const text = this.line.value;
    this.explain("");
    if (!text.startsWith("/")) return this.suggestMention(text);
    if (!this.commands.length) {
      await this.load();
      // The text changed since, and each key asks again.
      if (this.line.value !== text) return;
    }
    const command = commandOf(this.commands, text);
    const beyondName = command && text.replace(/\s+/g, " ").length > command.name.length + 1;
    if (beyondName) return this.explainCommand(command);
    const items = matching(this.commands, text).map((one) => ({
      label: `/${one.name}`,
      hint: one.options.map(({ name, required }) => (required ? name : `${name}?`)).join("  "),
      detail: one.description,
      command: one,
    }));
    if (!items.length) this.explain(this.commands.length ? "No command starts like that." : "The bot has not registered its commands yet.");
    return this.picker.show(this.line, items, { active: 0, title: "Commands" });
  }

  explainCommand(command) {
    this.picker.hide();
    this.explain(`${usage(command)} (${command.description})`);
  }

  suggestMention(text) {
    const match = /(?:^|\s)@([\w .-]*)$/.exec(text.slice(0, this.line.selectionStart));
    const fits = match ? [...state.users.values()].filter(({ name }) => name.toLowerCase().startsWith(match[1].toLowerCase())) : [];
    const items = fits.map((user) => ({ label: `@${user.name}`, detail: user.role, user, typed: match[1] }));
    this.picker.show(this.line, items, { active: 0, title: "Members" });
  }

  pick(item) {
    if (item.command) {
      this.openForm(item.command, new Map());
      return;
    }
    const at = this.line.selectionStart;
    const before = this.line.value.slice(0, at - item.typed.length);
    this.line.value = `${before}${item.user.name} ${this.line.value.slice(at)}`;
    this.line.focus();
  }

  key(event) {
    if (event.isComposing) return;
    const item = this.picker.open ? this.picker.items[this.picker.active] : null;
    if (event.key === "Enter" && item?.command && this.isWhole(item.command)) {
      event.preventDefault();
      this.submit();
    } else if (this.picker.handleKey(event)) {
      return;
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape") {
      this.line.value = "";
      this.explain("");
    }
  }

  isWhole(command) {
    return this.line.value.trim().toLowerCase() === `/${command.name}`;
  }

  async submit() {
    const text = this.line.value.trim();
    this.picker.hide();
    if (!text) return;
    if (text.startsWith("/")) await this.submitCommand(text);
    else await this.say(text);
  }

  async submitCommand(text) {
    if (!this.commands.length) await this.load();
    const command = commandOf(this.commands, text);
    if (!command) {
      this.explain(`There is no command ${text.split(" ")[0]} for you here. Type / to see what you can use.`, true);
      return;
    }
    const values = parameters(command, text);
    if (missing(command, values).length) {
      this.openForm(command, new Map([...values].map(([name, value]) => [name, { text: value }])));
      return;
    }
    try {
      await this.run(command, this.typedOptions(command, values));
    } catch (error) {
      this.explain(error.message, true);
    }
  }

  typedOptions(command, values) {
    const option = (name) => command.options.find((one) => one.name === name);
    return Object.fromEntries([...values].filter(([, text]) => text).map(([name, text]) => [name, valueOf(option(name), text)]));
  }

  openForm(command, values) {
    this.picker.hide();
    this.bar.hidden = true;
    this.form.show(command, values);
  }

  back() {
    this.form.hide();
    this.bar.hidden = false;
    this.line.value = "";
    this.explain("");
    this.line.focus();
  }

  async run(command, options) {
    this.back();
    const body = { user: state.viewer, channel: state.channel, name: command.name, options };
    await this.attempt(async () => {
      const { interaction } = await post("/api/invoke", body);
      expect(interaction, `Sending /${command.name}`);
    });
  }

  async say(text) {
    this.line.value = "";
    await this.attempt(() => post("/api/messages", { user: state.viewer, channel: state.channel, text: withMentions(text) }));
  }

  async attempt(action) {
    try {
      await action();
    } catch (error) {
      fail(error.message);
    }
  }
}

/** "@DisPinMap list" as Discord's client sends it: the name of a member becomes a mention of them. */
function withMentions(text) {
  const users = [...state.users.values()].sort((a, b) => b.name.length - a.name.length);
  return users.reduce((line, user) => line.replaceAll(`@${user.name}`, `<@${user.id}>`), text);
}
