"""The things this Discord consists of, as plain values. Ids are snowflakes; times are aware UTC."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

EPHEMERAL = 1 << 6
LOADING = 1 << 7
"""Two message flags: visible to one person only, and “thinking…”."""


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot. `name` is the handle, and others see `display_name`."""

    id: int
    name: str
    display_name: str
    bot: bool = False

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"


@dataclass(slots=True)
class Role:
    id: int
    name: str
    permissions: int
    position: int = 0
    managed: bool = False


@dataclass(slots=True)
class Member:
    user: User
    joined_at: datetime
    role_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Overwrite:
    """Permission bits that a role or a member gains or loses in one channel."""

    id: int
    is_member: bool
    allow: int = 0
    deny: int = 0


@dataclass(slots=True)
class Channel:
    id: int
    guild_id: int
    name: str
    position: int = 0
    topic: str | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    last_message_id: int | None = None


@dataclass(slots=True)
class Guild:
    """A server. The role with the server's own id is @everyone."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is sent with a message or a command."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A stored file; `url` is served by this server."""

    id: int
    filename: str
    content: bytes
    content_type: str
    url: str
    ephemeral: bool = False

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass(frozen=True, slots=True)
class Origin:
    """The interaction that a message answers."""

    interaction_id: int
    kind: "InteractionKind"
    user: User
    name: str


@dataclass(slots=True)
class Message:
    """A post. `embeds` and `components` are Discord's JSON; `visible_to` is the person who sees an ephemeral post."""

    id: int
    channel_id: int
    author: User
    created_at: datetime
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    mentions: list[User] = field(default_factory=list)
    mention_everyone: bool = False
    flags: int = 0
    nonce: str | int | None = None
    kind: int = 0
    edited_at: datetime | None = None
    origin: Origin | None = None
    is_response: bool = False
    """Sent through an interaction's webhook, not by the bot itself."""
    reply_to: int | None = None
    visible_to: int | None = None

    @property
    def thinking(self) -> bool:
        return bool(self.flags & LOADING)

    def is_visible_to(self, user_id: int) -> bool:
        return self.visible_to is None or self.visible_to == user_id


@dataclass(frozen=True, slots=True)
class Choice:
    """One suggestion of an autocomplete."""

    name: str
    value: str | int | float


class InteractionKind(IntEnum):
    """Values are Discord's numbers."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4


class InteractionState(StrEnum):
    WAITING = "waiting"
    """The bot has the interaction and has not acknowledged it yet."""
    DEFERRED = "deferred"
    """Acknowledged; the answer comes later: “thinking…”."""
    ANSWERED = "answered"
    """Also after a click that the bot acknowledged without a visible change."""
    FAILED = "failed"
    """`failure` holds the sentence that Discord shows."""


@dataclass(slots=True)
class Interaction:
    """Something a person asks the bot to do. `name` is the command's full name or the component's custom id."""

    id: int
    token: str
    kind: InteractionKind
    user: User
    guild_id: int
    channel_id: int
    name: str
    data: Json
    opened_at: float
    """Seconds of the event loop's clock: Discord's limits for answers are real time."""
    message_id: int | None = None
    """The message whose component was used."""
    state: InteractionState = InteractionState.WAITING
    failure: str | None = None
    original_id: int | None = None
    """The message that @original means: the first answer, or the message whose component was used."""
    choices: list[Choice] = field(default_factory=list)
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the bot has acknowledged in time, or once it is too late. `failure` tells which."""
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once there is a visible answer, or a failure."""
