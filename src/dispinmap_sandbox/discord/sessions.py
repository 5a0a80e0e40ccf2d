"""The gateway's constants, and what it remembers about one client between two web sockets."""

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag, StrEnum

from dispinmap_sandbox.discord.connection import Connection
from dispinmap_sandbox.discord.models import Json

REPLAY_LIMIT = 1000
"""How many events a session keeps for a resume. A client that missed more has to identify again."""


class Op(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    RECONNECT = 7
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class CloseCode(IntEnum):
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    SESSION_TIMED_OUT = 4009
    DISALLOWED_INTENTS = 4014


class Intent(IntFlag):
    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    MESSAGE_CONTENT = 1 << 15


PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT


class Drop(StrEnum):
    """How a connection ends."""

    CUT = "cut"
    """It breaks without a close frame."""
    RECONNECT = "reconnect"
    """Op 7: Discord asks the client to come back."""
    INVALID = "invalid"
    """Op 9: the session is over, or the client may resume it."""


@dataclass(slots=True)
class Session:
    """What the server remembers about one shard of one client."""

    id: str
    intents: int
    shard: tuple[int, int]
    connection: Connection | None = None
    sequence: int = 0
    sent: list[Json] = field(default_factory=list)

    def serves(self, guild_id: int | None) -> bool:
        """Whether that server belongs to this shard. None belongs to all.

        https://discord.com/developers/docs/events/gateway#sharding
        """
        index, count = self.shard
        return guild_id is None or (guild_id >> 22) % count == index

    def dispatch(self, name: str, data: Json) -> None:
        self.sequence += 1
        event: Json = {"op": Op.DISPATCH, "t": name, "s": self.sequence, "d": data}
        self.sent.append(event)
        del self.sent[:-REPLAY_LIMIT]
        if self.connection is not None:
            self.connection.send(event)

    def missed(self, sequence: int) -> list[Json] | None:
        """The events after `sequence`. None if we no longer have all of them, or `sequence` was never reached."""
        if not self.sequence - len(self.sent) <= sequence <= self.sequence:
            return None
        return [event for event in self.sent if event["s"] > sequence]
