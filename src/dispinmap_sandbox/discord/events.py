"""The events for the chat page. Every subscriber gets each of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from dispinmap_sandbox.discord.models import Interaction, Message


class EventKind(StrEnum):
    MESSAGE_CREATE = "message_create"
    MESSAGE_UPDATE = "message_update"
    MESSAGE_DELETE = "message_delete"
    TYPING = "typing"
    INTERACTION = "interaction"
    """The state of an interaction changed."""
    CHANNELS = "channels"
    """Servers, channels, permissions or the bot's membership changed. The page loads them again."""
    COMMANDS = "commands"
    """The bot registered its commands."""


@dataclass(frozen=True, slots=True)
class Event:
    """`channel_id` is None for an event that concerns no single channel."""

    kind: EventKind
    channel_id: int | None = None
    message: Message | None = None
    interaction: Interaction | None = None

    def is_visible_to(self, user_id: int) -> bool:
        """False for another person's ephemeral posts and interactions."""
        if self.message is not None:
            return self.message.is_visible_to(user_id)
        return self.interaction is None or self.interaction.user.id == user_id


class Events:
    """Queues have no limit: a subscriber runs in this process, and either reads or unsubscribes."""

    def __init__(self) -> None:
        self._queues: list[asyncio.Queue[Event]] = []

    def publish(self, event: Event) -> None:
        for queue in self._queues:
            queue.put_nowait(event)

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[Event]]:
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._queues.append(queue)
        try:
            yield queue
        finally:
            self._queues.remove(queue)
