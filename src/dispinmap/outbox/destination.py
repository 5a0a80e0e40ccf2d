"""The seam behind which messages are posted, and the ways in which posting can fail."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dispinmap.errors import DisPinMapError
from dispinmap.outbox.notifications import Notification


@dataclass(frozen=True, slots=True)
class Card:
    """What leaves together about one location, oldest first: one embed."""

    notifications: tuple[Notification, ...]

    @property
    def submission_ids(self) -> tuple[int, ...]:
        return tuple(each.submission.id for each in self.notifications)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One Discord post: at most 10 cards. `nonce` has at most 25 characters."""

    channel_id: int
    nonce: str
    cards: tuple[Card, ...]


class Destination(Protocol):
    """Where messages go. Errors other than DeliveryError never leave an implementation."""

    async def send(self, message: OutgoingMessage) -> int:
        """Post it and return the post's id. Raises DeliveryError."""
        ...

    async def find(self, channel_id: int, submission_ids: Collection[int], since: datetime) -> Mapping[int, int]:
        """Which of these submissions the bot's own posts since `since` carry: submission id → first post's id.

        Raises DeliveryError where the channel's history cannot be read.
        """
        ...


class DeliveryError(DisPinMapError):
    """A message was not acknowledged; the subclass says what to do next."""


class NotDelivered(DeliveryError):
    """It is certain that nothing was posted: try again, `retry_after` seconds later if that is given."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeliveryUnknown(DeliveryError):
    """It may or may not have been posted (a 5xx, a time-out, a lost connection): look before trying again."""


class ChannelClosed(DeliveryError):
    """The channel is gone or closed to us (403, 404): park it with this reason."""


class MessageRejected(DeliveryError):
    """This message will never be accepted (another 4xx): give up on it, and report that."""
