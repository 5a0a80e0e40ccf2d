import { avatar, byId, el } from "./dom.js";
import { changed, on, openChannel, state } from "./store.js";

/** Server name, channels with unread marks, and the speaker. `onSpeaker()` is called when another person speaks. */
export function startSidebar(onSpeaker) {
  on("server", renderServer);
  on("channels", renderChannels);
  on("speakers", () => renderSpeakers(onSpeaker));
}

function renderServer() {
  byId("guild-name").textContent = state.guild.name;
  const status = byId("bot-status");
  status.textContent = state.botConnected ? "Bot online" : "Bot offline";
  status.classList.toggle("online", state.botConnected);
}

function renderChannels() {
  byId("channels").replaceChildren(...state.channels.map(channelRow));
  byId("channel-name").textContent = state.channels.find(({ id }) => id === state.channel)?.name ?? "";
  const unread = [...state.unread.values()].reduce((sum, number) => sum + number, 0);
  document.title = `${unread ? `(${unread}) ` : ""}DisPinMap sandbox`;
}

function channelRow(channel) {
  const unread = state.unread.get(channel.id) ?? 0;
  const current = channel.id === state.channel;
  return el(
    "li",
    {},
    el(
      "button",
      {
        type: "button",
        class: unread ? "channel unread" : "channel",
        "aria-current": current ? "true" : null,
        on: { click: () => openChannel(channel.id) },
      },
      el("span", { class: "hash", "aria-hidden": "true", text: "#" }),
      el("span", { class: "channel-label", text: channel.name }),
      unread ? el("span", { class: "count", "aria-label": `${unread} unread`, text: unread }) : null,
    ),
  );
}

function renderSpeakers(onSpeaker) {
  byId("speakers").replaceChildren(...state.speakers.map((user) => speakerRow(user, onSpeaker)));
}

function speakerRow(user, onSpeaker) {
  const choose = () => {
    state.viewer = user.id;
    changed("channels", "messages");
    onSpeaker();
  };
  return el(
    "label",
    { class: "speaker" },
    el("input", { type: "radio", name: "speaker", value: user.id, checked: user.id === state.viewer, on: { change: choose } }),
    avatar(user.id, user.name, "medium"),
    el("span", {}, el("span", { class: "speaker-name", text: user.name }), el("span", { class: "detail", text: user.role })),
  );
}
