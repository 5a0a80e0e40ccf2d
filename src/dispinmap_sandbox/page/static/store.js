/** The page's state, and the listeners for its changes. */
export const state = {
  guild: { name: "" },
  channels: [],
  users: new Map(),
  speakers: [],
  viewer: null,
  channel: null,
  botConnected: false,
  messages: new Map(),
  unread: new Map(),
  typing: new Map(),
  pending: new Map(),
  /** The last status of each interaction. It can arrive before the answer that gives the interaction's id. */
  outcomes: new Map(),
  dismissed: new Set(),
};

const listeners = new Map();

/** Calls `listener` after each `changed(topic)`. */
export function on(topic, listener) {
  listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
}

export function changed(...topics) {
  for (const topic of topics) for (const listener of listeners.get(topic) ?? []) listener();
}

export const names = {
  user: (id) => state.users.get(id)?.name ?? "unknown user",
  channel: (id) => state.channels.find((channel) => channel.id === id)?.name ?? "unknown channel",
};

export const messagesHere = () =>
  (state.messages.get(state.channel) ?? []).filter((message) => !state.dismissed.has(message.id));

const WAITING = "waiting";
const FAILED = "failed";
const TYPING_MILLISECONDS = 10_000;

/** What each of the server's events does to the state. */
const REDUCERS = {
  snapshot(event) {
    state.guild = event.guild;
    state.channels = event.channels;
    state.users = new Map(event.users.map((user) => [user.id, user]));
    state.speakers = event.users.filter((user) => !user.bot);
    state.botConnected = event.connected;
    state.messages = new Map(Object.entries(event.messages));
    state.pending = new Map([...state.pending].filter(([, { error }]) => error !== null));
    state.viewer ??= state.speakers[0]?.id ?? null;
    if (!state.channels.some(({ id }) => id === state.channel)) state.channel = state.channels[0]?.id ?? null;
    changed("server", "channels", "speakers", "commands", "messages", "typing");
  },
  message_create({ message }) {
    const list = state.messages.get(message.channel_id) ?? [];
    if (list.some(({ id }) => id === message.id)) return REDUCERS.message_update({ message });
    state.messages.set(message.channel_id, [...list, message]);
    state.typing.delete(`${message.channel_id} ${message.author.id}`);
    if (message.channel_id !== state.channel) {
      state.unread.set(message.channel_id, (state.unread.get(message.channel_id) ?? 0) + 1);
      changed("channels");
    }
    return changed("messages", "typing");
  },
  message_update({ message }) {
    const list = state.messages.get(message.channel_id) ?? [];
    state.messages.set(message.channel_id, list.map((old) => (old.id === message.id ? message : old)));
    changed("messages");
  },
  message_delete({ channel_id, id }) {
    const list = state.messages.get(channel_id) ?? [];
    state.messages.set(channel_id, list.filter((message) => message.id !== id));
    changed("messages");
  },
  typing({ channel_id, user_id }) {
    state.typing.set(`${channel_id} ${user_id}`, Date.now() + TYPING_MILLISECONDS);
    setTimeout(() => changed("typing"), TYPING_MILLISECONDS);
    changed("typing");
  },
  interaction({ id, status, error }) {
    state.outcomes.set(id, { status, error });
    settle(id);
  },
  pulse({ connected }) {
    if (state.botConnected === connected) return;
    state.botConnected = connected;
    changed("server");
  },
  commands() {
    changed("commands");
  },
};

/** Ends the waiting line of an interaction whose outcome is known, or puts the failure's sentence there. */
function settle(id) {
  const pending = state.pending.get(id);
  const outcome = state.outcomes.get(id);
  if (!pending || !outcome || outcome.status === WAITING) return;
  if (outcome.status === FAILED) state.pending.set(id, { ...pending, error: outcome.error });
  else state.pending.delete(id);
  changed("messages");
}

export function apply(event) {
  REDUCERS[event.type]?.(event);
}

export function openChannel(id) {
  state.channel = id;
  state.unread.delete(id);
  changed("channels", "messages", "typing");
}

/** Shows `label` as a waiting line until the bot has answered the interaction. */
export function expect({ id, status, error }, label) {
  if (!state.outcomes.has(id)) state.outcomes.set(id, { status, error });
  state.pending.set(id, { id, label, channel: state.channel, viewer: state.viewer, error: null });
  changed("messages");
  settle(id);
}

export function dismiss(id) {
  state.dismissed.add(id);
  state.pending.delete(id);
  changed("messages");
}
