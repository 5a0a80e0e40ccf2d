import { el } from "./dom.js";
import { timeElement } from "./time.js";

const URL_BODY = String.raw`https?:\/\/(?:[^\s<>()]|\([^\s<>()]*\))+`;

const link = (url, children) =>
  el("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, children);

const wrap = (tag, className) => (match, names) => el(tag, { class: className }, inline(match[1], names));

/** Tried in this order at each position; the first that matches wins. */
const INLINE = [
  [/\\([^\sA-Za-z0-9])/y, (match) => match[1]],
  [/(`+)([\s\S]*?[^`])\1(?!`)/y, (match) => el("code", { text: match[2].trim() })],
  [/<t:(-?\d{1,12})(?::([tTdDfFR]))?>/y, (match) => timeElement(Number(match[1]) * 1000, match[2])],
  [/<@!?(\d+)>/y, (match, names) => el("span", { class: "mention", text: `@${names.user(match[1])}` })],
  [/<#(\d+)>/y, (match, names) => el("span", { class: "mention", text: `#${names.channel(match[1])}` })],
  [/<\/([^:<>]+):\d+>/y, (match) => el("span", { class: "mention", text: `/${match[1]}` })],
  [
    new RegExp(String.raw`\[((?:\\.|[^\]\\])+)\]\(<?(${URL_BODY})>?(?:\s+"[^"]*")?\)`, "y"),
    (match, names) => link(match[2], inline(match[1], names)),
  ],
  [new RegExp(`<(${URL_BODY})>`, "y"), (match) => link(match[1], match[1])],
  [new RegExp(String.raw`${URL_BODY}(?<![.,:;"'!?*_~|])`, "y"), (match) => link(match[0], match[0])],
  [/\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/y, wrap("strong")],
  [/__((?:\\[\s\S]|[^\\])+?)__(?!_)/y, wrap("u")],
  [/~~((?:\\[\s\S]|[^\\])+?)~~/y, wrap("s")],
  [/\|\|((?:\\[\s\S]|[^\\])+?)\|\|/y, (match, names) => spoiler(inline(match[1], names))],
  [/\*(?=\S)((?:\*\*[\s\S]+?\*\*|\\[\s\S]|[^*\\])+?)\*(?!\*)/y, wrap("em")],
  [/(?<!\w)_((?:__|\\[\s\S]|[^_\\])+?)_(?!\w)/y, wrap("em")],
  [/\n/y, () => el("br")],
];

function spoiler(children) {
  const reveal = (event) => event.currentTarget.classList.add("open");
  return el("button", { type: "button", class: "spoiler", "aria-label": "Spoiler, press to show", on: { click: reveal } }, children);
}

/** `names`: the names for ids in mentions, `{user(id), channel(id)}`. Returns nodes and strings. */
export function inline(text, names) {
  const nodes = [];
  let plain = "";
  let position = 0;
  while (position < text.length) {
    const found = firstMatch(text, position);
    if (found === null) {
      plain += text[position++];
      continue;
    }
    if (plain) nodes.push(plain);
    plain = "";
    nodes.push(found.make(found.match, names));
    position += found.match[0].length;
  }
  if (plain) nodes.push(plain);
  return nodes;
}

function firstMatch(text, position) {
  for (const [pattern, make] of INLINE) {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match) return { match, make };
  }
  return null;
}

/** Each takes what it knows from the front of `lines` and returns a node, or null when the front is not its kind. */
const BLOCKS = [
  function codeBlock(lines) {
    if (!lines[0].startsWith("```")) return null;
    const end = closingFence(lines);
    if (end === null) return null;
    const taken = lines.splice(0, end + 1).join("\n");
    const body = taken.slice(3, taken.lastIndexOf("```")).replace(/^[A-Za-z0-9+#.-]*\n/, "");
    return el("pre", { tabindex: "0" }, el("code", { text: body.replace(/\n$/, "") }));
  },
  function heading(lines, names) {
    const match = /^(#{1,3}) +(.+)/.exec(lines[0]);
    if (!match) return null;
    lines.shift();
    return el("p", { class: `heading h${match[1].length}`, role: "heading", "aria-level": match[1].length + 2 }, inline(match[2], names));
  },
  function subtext(lines, names) {
    const match = /^-# +(.+)/.exec(lines[0]);
    if (!match) return null;
    lines.shift();
    return el("p", { class: "subtext" }, inline(match[1], names));
  },
  function quote(lines, names) {
    if (!/^>>> |^> /.test(lines[0])) return null;
    const everything = lines[0].startsWith(">>> ");
    const taken = everything ? lines.splice(0) : takeWhile(lines, (line) => line.startsWith("> "));
    return el("blockquote", {}, markdown(taken.map((line) => line.replace(/^>>> |^> /, "")).join("\n"), names));
  },
  function list(lines, names) {
    const item = /^( *)([-*]|\d{1,9}\.) +(.+)/;
    const first = item.exec(lines[0]);
    if (!first) return null;
    const ordered = /\d/.test(first[2]);
    const taken = takeWhile(lines, (line) => item.test(line) && /\d/.test(item.exec(line)[2]) === ordered);
    const rows = taken.map((line) => {
      const [, indent, , text] = item.exec(line);
      return el("li", { class: indent.length >= 2 ? "nested" : null }, inline(text, names));
    });
    return el(ordered ? "ol" : "ul", { start: ordered ? parseInt(first[2], 10) : null }, rows);
  },
];

function closingFence(lines) {
  if (lines[0].slice(3).includes("```")) return 0;
  const index = lines.findIndex((line, number) => number > 0 && line.trimEnd().endsWith("```"));
  return index < 0 ? null : index;
}

function takeWhile(lines, holds) {
  const end = lines.findIndex((line) => !holds(line));
  return lines.splice(0, end < 0 ? lines.length : end);
}

/** A message's text as nodes. */
export function markdown(text, names) {
  const lines = text.split("\n");
  const nodes = [];
  let paragraph = [];
  const flush = () => {
    if (paragraph.length) nodes.push(el("p", {}, inline(paragraph.join("\n"), names)));
    paragraph = [];
  };
  while (lines.length) {
    const block = firstBlock(lines, names);
    if (block === null) {
      paragraph.push(lines.shift());
      continue;
    }
    flush();
    nodes.push(block);
  }
  flush();
  return nodes;
}

function firstBlock(lines, names) {
  for (const take of BLOCKS) {
    const block = take(lines, names);
    if (block) return block;
  }
  return null;
}
