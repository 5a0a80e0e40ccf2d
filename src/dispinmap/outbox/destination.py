"""The interface for posting messages, and the ways in which posting can fail."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dispinmap.errors import DisPinMapError
from dispinmap.outbox.models import Notification


@dataclass(frozen=True, slots=True)
class Card:
    """Notifications about one location that leave together, oldest first. It becomes one embed."""

    notifications: tuple[Notification, ...]

    @property
    def submission_ids(self) -> tuple[int, ...]:
        return tuple(each.submission.id for each in self.notifications)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One Discord post with at most 10 cards. `nonce` has at most 25 characters."""

    channel_id: int
    nonce: str
    cards: tuple[Card, ...]


class Destination(Protocol):
    """A service that messages go to. Implementations raise no errors other than DeliveryError."""

    async def send(self, message: OutgoingMessage) -> int:
        """Post it and return the post's id. Raises DeliveryError."""
        ...

    async def find(self, channel_id: int, submission_ids: Collection[int], since: datetime) -> Mapping[int, int]:
        """Which of these submissions are in the bot's own posts since `since`: submission id → first post's id.

        Raises DeliveryError if the channel's history cannot be read.
        """
        ...


class DeliveryError(DisPinMapError):
    """A message was not acknowledged. The subclass says what to do next."""


class NotDelivered(DeliveryError):
    """Certainly nothing was posted: try again, after `retry_after` seconds if given."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeliveryUnknown(DeliveryError):
    """The message may have been posted (a 5xx, a time-out, a lost connection): look for it before trying again."""


class ChannelClosed(DeliveryError):
    """The channel is gone or we may not post there (403, 404): park it with this reason."""


class MessageRejected(DeliveryError):
    """Discord will never accept this message (another 4xx): give up on it, and report that."""
