import { el } from "./dom.js";
import { inline, markdown } from "./markdown.js";
import { timeElement } from "./time.js";

const isWeb = (url) => /^https?:\/\//.test(url ?? "");

const linked = (url, children) =>
  isWeb(url) ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, children) : children;

/** One embed as Discord lays it out. Pictures stay links: the page loads nothing from outside. */
export function embedNode(embed, names) {
  const node = el(
    "article",
    { class: "embed" },
    embed.author ? el("p", { class: "embed-author" }, linked(embed.author.url, embed.author.name)) : null,
    embed.title ? el("p", { class: "embed-title" }, linked(embed.url, inline(embed.title, names))) : null,
    embed.description ? el("div", { class: "embed-text" }, markdown(embed.description, names)) : null,
    embed.fields?.length ? el("div", { class: "embed-fields" }, embed.fields.map((field) => fieldNode(field, names))) : null,
    ["image", "thumbnail"].map((kind) => pictureNode(embed[kind])),
    footerNode(embed),
  );
  if (embed.color) node.style.setProperty("--bar", `#${embed.color.toString(16).padStart(6, "0")}`);
  return node;
}

function fieldNode(field, names) {
  return el(
    "div",
    { class: field.inline ? "embed-field inline" : "embed-field" },
    el("p", { class: "embed-field-name" }, inline(field.name, names)),
    el("div", { class: "embed-text" }, markdown(field.value, names)),
  );
}

function pictureNode(picture) {
  return isWeb(picture?.url) ? el("p", { class: "embed-picture" }, linked(picture.url, "Picture (opens outside)")) : null;
}

function footerNode(embed) {
  if (!embed.footer && !embed.timestamp) return null;
  const time = embed.timestamp ? timeElement(Date.parse(embed.timestamp), "f", "when") : null;
  return el("p", { class: "embed-footer" }, embed.footer?.text, embed.footer && time ? " • " : null, time);
}
