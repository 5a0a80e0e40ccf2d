/**
 * Slash commands as text. A command here is one that can be run: `{name: "add location", description, options}`.
 * Option types are Discord's: 1 subcommand, 2 group, 3 string, 4 integer, 5 boolean, 10 number, 11 attachment.
 */
const SUBCOMMAND = 1;
const GROUP = 2;
export const INTEGER = 4;
export const BOOLEAN = 5;
export const NUMBER = 10;
export const ATTACHMENT = 11;

/** Discord's registered commands, flattened to those that can be run, in the order they were registered. */
export function runnable(registered) {
  const slash = registered.filter((command) => (command.type ?? 1) === 1);
  return slash.flatMap((command) => leaves(command, command.name)).sort((a, b) => a.name.localeCompare(b.name));
}

function leaves(command, name) {
  const options = command.options ?? [];
  const nested = options.filter((option) => option.type === SUBCOMMAND || option.type === GROUP);
  if (!nested.length) return [{ name, description: command.description, options }];
  return nested.flatMap((option) => leaves(option, `${name} ${option.name}`));
}

/** Commands that fit what is typed so far: the text begins the name, or is part of it. */
export function matching(commands, line) {
  const typed = line.slice(1).toLowerCase().trimStart();
  const starts = commands.filter((command) => command.name.startsWith(typed));
  const within = commands.filter((command) => !starts.includes(command) && typed && command.name.includes(typed.trim()));
  return [...starts, ...within];
}

/** The command a line begins with (the longest name wins), or null. */
export function commandOf(commands, line) {
  const typed = `${line.slice(1).toLowerCase().trim().replace(/\s+/g, " ")} `;
  const fits = commands.filter((command) => typed.startsWith(`${command.name} `));
  return fits.sort((a, b) => b.name.length - a.name.length)[0] ?? null;
}

/**
 * What stands after the command's name: a Map from option name to text. A value runs to the next `option:`, quotes
 * around it are dropped, and text before the first `option:` belongs to the first option.
 */
export function parameters(command, line) {
  const rest = afterName(command, line);
  const names = command.options.map((option) => option.name);
  const values = new Map();
  if (!names.length) return values;
  const boundary = new RegExp(`(?:^|\\s)(${names.map(escapeRegExp).join("|")}):`, "gi");
  const found = [...rest.matchAll(boundary)];
  const leading = rest.slice(0, found[0]?.index ?? rest.length).trim();
  if (leading) values.set(names[0], unquote(leading));
  found.forEach((match, index) => {
    const text = rest.slice(match.index + match[0].length, found[index + 1]?.index ?? rest.length);
    values.set(match[1].toLowerCase(), unquote(text.trim()));
  });
  return values;
}

function afterName(command, line) {
  const words = command.name.split(" ").map(escapeRegExp).join("\\s+");
  return line.replace(new RegExp(`^/\\s*${words}`, "i"), "");
}

const escapeRegExp = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function unquote(text) {
  const match = /^"([^"]*)"$|^'([^']*)'$|^“([^”]*)”$/.exec(text);
  return match ? (match[1] ?? match[2] ?? match[3]) : text;
}

/** An option's typed text as the value Discord sends. Throws an Error with a sentence if it does not fit. */
export function valueOf(option, text) {
  if (option.choices?.length) return choiceOf(option, text);
  if (option.type === INTEGER || option.type === NUMBER) return numberOf(option, text);
  if (option.type === BOOLEAN) return booleanOf(option, text);
  if (option.max_length && text.length > option.max_length) {
    throw new Error(`${option.name} may have at most ${option.max_length} characters.`);
  }
  return text;
}

function choiceOf(option, text) {
  const wanted = text.toLowerCase();
  const choice = option.choices.find(({ name, value }) => name.toLowerCase() === wanted || String(value).toLowerCase() === wanted);
  if (choice) return choice.value;
  throw new Error(`${option.name} must be one of: ${option.choices.map(({ name }) => name).join(", ")}.`);
}

function numberOf(option, text) {
  const number = Number(text.replace(",", "."));
  const whole = option.type === INTEGER;
  if (!text.trim() || Number.isNaN(number) || (whole && !Number.isInteger(number))) {
    throw new Error(`${option.name} must be a ${whole ? "whole number" : "number"}.`);
  }
  const { min_value: least, max_value: most } = option;
  if (least !== undefined && number < least) throw new Error(`${option.name} must be at least ${least}.`);
  if (most !== undefined && number > most) throw new Error(`${option.name} must be at most ${most}.`);
  return number;
}

function booleanOf(option, text) {
  if (/^(true|yes|on|1)$/i.test(text)) return true;
  if (/^(false|no|off|0)$/i.test(text)) return false;
  throw new Error(`${option.name} must be true or false.`);
}

/** The required options that have no text yet. */
export function missing(command, values) {
  return command.options.filter((option) => option.required && !values.get(option.name));
}

/** "/add location name: [radius:]": how a command is used, in one line. */
export function usage(command) {
  const parts = command.options.map((option) => (option.required ? `${option.name}:` : `[${option.name}:]`));
  return [`/${command.name}`, ...parts].join(" ");
}
