"""Counts the outcomes of delivery attempts."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from dispinmap.outbox.destination import (
    ChannelClosed,
    DeliveryError,
    DeliveryUnknown,
    Destination,
    MessageRejected,
    NotDelivered,
    OutgoingMessage,
)

_OUTCOMES: dict[type[DeliveryError], str] = {
    NotDelivered: "not_delivered",
    DeliveryUnknown: "unknown",
    ChannelClosed: "channel_closed",
    MessageRejected: "rejected",
}


class CountingDestination:
    """Passes everything to another destination, and counts the outcomes."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self.outcomes: Counter[str] = Counter(dict.fromkeys(("sent", "found", *_OUTCOMES.values()), 0))
        """Outcomes since the start: sent, found in the channel's history instead, or the kind of failure."""

    async def send(self, message: OutgoingMessage) -> int:
        with self._counted():
            posted_id = await self._destination.send(message)
        self.outcomes["sent"] += 1
        return posted_id

    async def find(self, channel_id: int, submission_ids: Collection[int], since: datetime) -> Mapping[int, int]:
        with self._counted():
            posts = await self._destination.find(channel_id, submission_ids, since)
        self.outcomes["found"] += len(set(posts.values()))
        return posts

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except DeliveryError as error:
            self.outcomes[_OUTCOMES[type(error)]] += 1
            raise
