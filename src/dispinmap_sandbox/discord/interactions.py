"""The life of an interaction: sent to the bot, acknowledged within 3 s or failed, answered, followed up.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import asyncio
import secrets
from enum import IntEnum

from dispinmap.clock import SystemClock
from dispinmap_sandbox.discord import errors, payloads
from dispinmap_sandbox.discord.events import Event, EventKind, Events
from dispinmap_sandbox.discord.forms import Form
from dispinmap_sandbox.discord.gateway import Gateway
from dispinmap_sandbox.discord.models import (
    LOADING,
    Channel,
    Choice,
    Interaction,
    InteractionKind,
    InteractionState,
    Json,
    Message,
    Origin,
    User,
)
from dispinmap_sandbox.discord.permissions import permissions
from dispinmap_sandbox.discord.posts import CHAT_COMMAND, Body, Posts
from dispinmap_sandbox.discord.snowflakes import Snowflakes
from dispinmap_sandbox.discord.state import State

ACKNOWLEDGE_SECONDS = 3.0
TOKEN_SECONDS = 15 * 60.0
NO_ANSWER = "The application did not respond"
CHOICES_LIMIT = 25
CHOICE_TEXT_LIMIT = 100


class Callback(IntEnum):
    """How a bot acknowledges."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8


ALLOWED = {
    InteractionKind.COMMAND: {Callback.MESSAGE, Callback.DEFERRED_MESSAGE},
    InteractionKind.COMPONENT: {
        Callback.MESSAGE,
        Callback.DEFERRED_MESSAGE,
        Callback.DEFERRED_UPDATE,
        Callback.UPDATE,
    },
    InteractionKind.AUTOCOMPLETE: {Callback.CHOICES},
}


class Interactions:
    """Methods that take a token or an id raise ApiError if Discord would refuse the request."""

    def __init__(self, state: State, gateway: Gateway, posts: Posts, events: Events) -> None:
        self._state = state
        self._gateway = gateway
        self._posts = posts
        self._events = events
        # discord.py compares the id with the machine's clock to see whether an interaction's 15 minutes are over.
        self._snowflakes = Snowflakes(SystemClock())
        self._by_token: dict[str, Interaction] = {}
        self._timers: set[asyncio.TimerHandle] = set()

    def open(
        self, kind: InteractionKind, user: User, channel: Channel, name: str, data: Json, message: Message | None = None
    ) -> Interaction:
        """Send the interaction to the bot, and start the 3 seconds."""
        loop = asyncio.get_running_loop()
        interaction = Interaction(
            id=self._snowflakes.next(),
            token=secrets.token_urlsafe(24),
            kind=kind,
            user=user,
            guild_id=channel.guild_id,
            channel_id=channel.id,
            name=name,
            data=data,
            opened_at=loop.time(),
            message_id=None if message is None else message.id,
        )
        self._by_token[interaction.token] = interaction
        self._publish(interaction)
        self._gateway.dispatch(
            "INTERACTION_CREATE", self._payload(interaction, channel, message), intent=None, guild_id=channel.guild_id
        )
        self._start_timer(loop, interaction)
        return interaction

    def acknowledge(self, interaction_id: int, token: str, body: Body) -> Message | None:
        """Carry out a callback. Returns the message it made or changed, None if there is none to show."""
        interaction = self._by_token.get(token)
        if interaction is None or interaction.id != interaction_id or interaction.state is InteractionState.FAILED:
            raise errors.unknown_interaction()
        if interaction.acknowledged.is_set():
            raise errors.already_acknowledged()
        callback = _callback(interaction.kind, body.payload)
        data = Body(body.payload.get("data") or {}, body.uploads)
        message = self._answer(interaction, callback, data)
        interaction.original_id = None if message is None else message.id
        deferred = callback is Callback.DEFERRED_MESSAGE
        self._move(interaction, InteractionState.DEFERRED if deferred else InteractionState.ANSWERED)
        return message

    def _answer(self, interaction: Interaction, callback: Callback, body: Body) -> Message | None:
        if callback is Callback.CHOICES:
            interaction.choices = _choices(body.payload.get("choices") or [])
            return None
        if callback is Callback.DEFERRED_UPDATE:
            return self._state.messages.get(interaction.message_id or 0)
        if callback is Callback.UPDATE:
            message = self._state.messages.get(interaction.message_id or 0)
            if message is None:
                raise errors.unknown_message()
            self._posts.edit(message, body)
            return message
        return self._post(interaction, body, LOADING if callback is Callback.DEFERRED_MESSAGE else 0)

    def follow_up(self, token: str, body: Body) -> Message:
        """Post another answer. As at Discord, the first one after “thinking…” replaces that message."""
        interaction = self.with_token(token)
        original = self._state.messages.get(interaction.original_id or 0)
        if original is not None and original.thinking:
            return self.edit(token, original, body)
        message = self._post(interaction, body, 0)
        self._move(interaction, InteractionState.ANSWERED)
        return message

    def message(self, token: str, message_id: str) -> Message:
        """An answer of this interaction by id, or "@original". Raises ApiError 10008."""
        interaction = self.with_token(token)
        number = interaction.original_id if message_id == "@original" else int(message_id)
        message = self._state.messages.get(number or 0)
        if message is None or not _belongs(message, interaction):
            raise errors.unknown_message()
        return message

    def edit(self, token: str, message: Message, body: Body) -> Message:
        self._posts.edit(message, body)
        self._move(self.with_token(token), InteractionState.ANSWERED)
        return message

    def with_token(self, token: str) -> Interaction:
        """An acknowledged interaction. Raises ApiError 10015 for an unknown token, 50027 after its 15 minutes."""
        interaction = self._by_token.get(token)
        if interaction is None or interaction.state in (InteractionState.WAITING, InteractionState.FAILED):
            raise errors.unknown_webhook()
        if asyncio.get_running_loop().time() - interaction.opened_at > TOKEN_SECONDS:
            raise errors.invalid_webhook_token()
        return interaction

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _post(self, interaction: Interaction, body: Body, extra_flags: int) -> Message:
        origin = Origin(interaction.id, interaction.kind, interaction.user, interaction.name)
        is_first = interaction.state is InteractionState.WAITING and interaction.kind is InteractionKind.COMMAND
        kind = CHAT_COMMAND if is_first else 0
        bot = self._state.bot
        return self._posts.create(bot, interaction.channel_id, body, origin=origin, kind=kind, extra_flags=extra_flags)

    def _payload(self, interaction: Interaction, channel: Channel, message: Message | None) -> Json:
        guild = self._state.guilds[channel.guild_id]
        member = guild.members[interaction.user.id]
        bot = self._state.bot
        member_payload = payloads.full_member(member) | {"permissions": str(permissions(guild, member, channel))}
        about = None if message is None else self._posts.payload(message)
        payload = payloads.interaction(interaction, bot, member_payload, payloads.channel(channel), about)
        return payload | {"app_permissions": str(self._state.channel_permissions(bot.id, channel))}

    def _start_timer(self, loop: asyncio.AbstractEventLoop, interaction: Interaction) -> None:
        def expire() -> None:
            self._timers.discard(timer)
            if interaction.state is InteractionState.WAITING:
                interaction.failure = NO_ANSWER
                self._move(interaction, InteractionState.FAILED)

        timer = loop.call_later(ACKNOWLEDGE_SECONDS, expire)
        self._timers.add(timer)

    def _move(self, interaction: Interaction, state: InteractionState) -> None:
        interaction.state = state
        interaction.acknowledged.set()
        if state is not InteractionState.DEFERRED:
            interaction.settled.set()
        self._publish(interaction)

    def _publish(self, interaction: Interaction) -> None:
        if interaction.kind is not InteractionKind.AUTOCOMPLETE:
            self._events.publish(Event(EventKind.INTERACTION, interaction.channel_id, interaction=interaction))


def _belongs(message: Message, interaction: Interaction) -> bool:
    is_answer = message.origin is not None and message.origin.interaction_id == interaction.id
    return is_answer or message.id == interaction.message_id


def _callback(kind: InteractionKind, payload: Json) -> Callback:
    number = payload.get("type")
    if number not in set(ALLOWED[kind]):
        form = Form()
        form.complain(("type",), "BASE_TYPE_CHOICES", f"Interactions of type {int(kind)} take {sorted(ALLOWED[kind])}.")
        form.raise_if_bad()
    return Callback(payload["type"])


def _choices(given: list[Json]) -> list[Choice]:
    form = Form()
    form.at_most(("data", "choices"), given, CHOICES_LIMIT)
    for index, choice in enumerate(given):
        form.between(("data", "choices", index, "name"), choice.get("name"), 1, CHOICE_TEXT_LIMIT)
        if isinstance(choice.get("value"), str):
            form.at_most(("data", "choices", index, "value"), choice["value"], CHOICE_TEXT_LIMIT)
    form.raise_if_bad()
    return [Choice(choice["name"], choice["value"]) for choice in given]
