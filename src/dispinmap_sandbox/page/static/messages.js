import { post } from "./api.js";
import { componentRows } from "./components.js";
import { avatar, byId, count, el, reconcile } from "./dom.js";
import { embedNode } from "./embeds.js";
import { markdown } from "./markdown.js";
import { changed, dismiss, expect, messagesHere, names, on, state } from "./store.js";
import { messageTime } from "./time.js";

const EPHEMERAL = 1 << 6;
const LOADING = 1 << 7;
const GROUP_MILLISECONDS = 7 * 60_000;
const NEAR_BOTTOM_PIXELS = 120;

/** Rows by message id, kept as long as neither the message nor its place in a group changed. */
const rows = new Map();

export function startMessages() {
  on("messages", render);
  on("typing", renderTyping);
}

function render() {
  const scroller = byId("scroller");
  const atBottom = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_BOTTOM_PIXELS;
  const switched = scroller.dataset.channel !== `${state.channel} ${state.viewer}`;
  scroller.dataset.channel = `${state.channel} ${state.viewer}`;
  const log = byId("log");
  // A screen reader announces only messages that arrive from now on, not those of a channel that was just opened.
  log.setAttribute("aria-live", switched ? "off" : "polite");
  const messages = messagesHere();
  const nodes = messages.map((message, index) => row(message, messages[index - 1]));
  const waiting = [...state.pending.values()].filter(({ channel, viewer }) => channel === state.channel && viewer === state.viewer);
  reconcile(log, [...nodes, ...waiting.map(pendingRow)]);
  byId("welcome").hidden = messages.length > 0;
  if (switched || atBottom) scroller.scrollTop = scroller.scrollHeight;
  if (switched) requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
}

function row(message, previous) {
  const grouped = continues(message, previous);
  const known = rows.get(message.id);
  if (known?.message === message && known.grouped === grouped) return known.node;
  const node = grouped ? groupedRow(message) : fullRow(message);
  rows.set(message.id, { message, grouped, node });
  return node;
}

/** Whether a message stands under the previous one without a name of its own, as in Discord. */
function continues(message, previous) {
  return Boolean(
    previous &&
      previous.author.id === message.author.id &&
      !message.interaction_metadata &&
      !isEphemeral(message) && !isEphemeral(previous) &&
      Date.parse(message.timestamp) - Date.parse(previous.timestamp) < GROUP_MILLISECONDS,
  );
}

const isEphemeral = (message) => Boolean(message.flags & EPHEMERAL);
const nameOf = (user) => user.global_name || user.username;

function fullRow(message) {
  const { author } = message;
  return el(
    "li",
    { class: isEphemeral(message) ? "message ephemeral" : "message", dataset: { id: message.id } },
    usedCommand(message),
    el(
      "div",
      { class: "message-main" },
      avatar(author.id, nameOf(author), author.bot ? "bot" : ""),
      el(
        "div",
        { class: "message-body" },
        el(
          "p",
          { class: "byline" },
          el("span", { class: "author", text: nameOf(author) }),
          author.bot ? el("span", { class: "badge", text: "APP" }) : null,
          messageTime(Date.parse(message.timestamp)),
        ),
        body(message),
      ),
    ),
  );
}

function groupedRow(message) {
  return el(
    "li",
    { class: "message grouped", dataset: { id: message.id } },
    el("span", { class: "visually-hidden", text: `${nameOf(message.author)}: ` }),
    el("div", { class: "message-body" }, body(message)),
  );
}

function usedCommand(message) {
  const used = message.interaction_metadata;
  if (!used?.name) return null;
  return el(
    "p",
    { class: "used" },
    el("span", { class: "spine", "aria-hidden": "true" }),
    avatar(used.user.id, nameOf(used.user), "tiny"),
    el("strong", { text: nameOf(used.user) }),
    " used ",
    el("span", { class: "mention", text: `/${used.name}` }),
  );
}

function body(message) {
  if (message.flags & LOADING) return [thinking(message), ephemeralNote(message)];
  return [
    el("div", { class: "content" }, markdown(message.content ?? "", names), message.edited_timestamp ? edited() : null),
    (message.embeds ?? []).map((embed) => embedNode(embed, names)),
    (message.attachments ?? []).map(attachment),
    componentRows(message.components, actionsOf(message)),
    ephemeralNote(message),
  ];
}

const edited = () => el("span", { class: "edited", text: "(edited)" });

function thinking(message) {
  return el("p", { class: "thinking" }, dots(), ` ${nameOf(message.author)} is thinking…`);
}

const dots = () => el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));

function attachment(file) {
  return el(
    "p",
    { class: "attachment" },
    el("span", { class: "file-icon", "aria-hidden": "true", text: "▤" }),
    el("a", { href: file.url, download: file.filename, text: file.filename }),
    el("span", { class: "detail", text: ` ${count(file.size ?? 0, "byte")}` }),
  );
}

function ephemeralNote(message) {
  if (!isEphemeral(message)) return null;
  return el(
    "p",
    { class: "only-you" },
    "Only you can see this • ",
    el("button", { type: "button", class: "textual", text: "Dismiss message", on: { click: () => dismiss(message.id) } }),
  );
}

function actionsOf(message) {
  const act = (path, extra) => send(path, { user: state.viewer, message: message.id, ...extra });
  return {
    click: (customId) => act("/api/click", { custom_id: customId }),
    choose: (customId, values) => act("/api/choose", { custom_id: customId, values }),
  };
}

async function send(path, body) {
  try {
    const { interaction } = await post(path, body);
    expect(interaction, "Working on it");
  } catch (error) {
    fail(error.message);
  }
}

/** A line at the end of the channel that only this page sees, with a failure's sentence. */
export function fail(sentence) {
  const id = `failure-${Date.now()}-${Math.random()}`;
  state.pending.set(id, { id, channel: state.channel, viewer: state.viewer, error: sentence });
  changed("messages");
}

function pendingRow({ id, label, error }) {
  const known = rows.get(id);
  if (known?.error === error) return known.node;
  const node = error === null ? el("li", { class: "pending" }, dots(), ` ${label}…`) : failureRow(id, error);
  rows.set(id, { error, node });
  return node;
}

function failureRow(id, error) {
  return el(
    "li",
    { class: "failure" },
    el("span", { text: `⚠ ${error} ` }),
    el("button", { type: "button", class: "textual", text: "Dismiss", on: { click: () => dismiss(id) } }),
  );
}

function renderTyping() {
  const now = Date.now();
  const typing = [...state.typing].filter(([key, until]) => key.startsWith(`${state.channel} `) && until > now);
  const who = typing.map(([key]) => names.user(key.split(" ")[1]));
  byId("typing").replaceChildren(...(who.length ? [dots(), ` ${who.join(", ")} is typing…`] : []));
}

