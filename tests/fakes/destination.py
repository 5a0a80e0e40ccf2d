"""A channel in memory: it keeps what is posted and fails as it is told."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime

from dispinmap.clock import Clock
from dispinmap.outbox.destination import ChannelClosed, DeliveryError, DeliveryUnknown, MessageRejected, OutgoingMessage
from dispinmap.outbox.retry import NONCE_LIFETIME


class FakeDestination:
    """Drops a repeated nonce for as long as we rely on that, and forgets it afterwards, as Discord does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._nonces: dict[str, tuple[datetime, int]] = {}
        self.posts: list[OutgoingMessage] = []
        self.posted_at: list[datetime] = []
        self.refusals: list[DeliveryError] = []
        """Raised one after the other, before anything is posted."""
        self.ends_with: BaseException | None = None
        """Raised once, after the post: what no part of the sender catches, as if the process had ended."""
        self.spoiled: set[int] = set()
        """Submissions that make every message with one of them unacceptable."""
        self.broken: set[int] = set()
        """Channels for which our own code fails in a way that nobody foresaw."""
        self.hangs = asyncio.Event()
        """Set once a message was posted whose answer never comes, which `hang` asks for."""
        self.hang = False
        self.lost_answers = 0
        """How many more posts happen without the sender being told."""
        self.searches = 0
        self.unreadable: set[int] = set()
        """Channels whose history the bot may not read."""

    async def send(self, message: OutgoingMessage) -> int:
        if self.refusals:
            raise self.refusals.pop(0)
        if message.channel_id in self.broken:
            raise ZeroDivisionError("a mistake in rendering")
        if any(self.spoiled.intersection(card.submission_ids) for card in message.cards):
            raise MessageRejected("Discord rejects this message for good.")
        posted_id = self._post(message)
        if self.hang:
            self.hangs.set()
            await asyncio.Event().wait()
        if self.ends_with is not None:
            ended, self.ends_with = self.ends_with, None
            raise ended
        if self.lost_answers:
            self.lost_answers -= 1
            raise DeliveryUnknown("The connection ended before Discord answered.")
        return posted_id

    async def find(self, channel_id: int, submission_ids: Collection[int], since: datetime) -> Mapping[int, int]:
        self.searches += 1
        if channel_id in self.unreadable:
            raise ChannelClosed("The bot may not read here: allow Read Message History.")
        found: dict[int, int] = {}
        for number, (post, at) in enumerate(zip(self.posts, self.posted_at, strict=True), 1):
            if post.channel_id == channel_id and at >= since:
                shown = {id_ for card in post.cards for id_ in card.submission_ids}
                found = dict.fromkeys(shown.intersection(submission_ids), number) | found
        return found

    def shown(self, channel_id: int) -> list[int]:
        """The submission ids posted to a channel, in order, repeats included."""
        return [
            id_
            for post in self.posts
            if post.channel_id == channel_id
            for card in post.cards
            for id_ in card.submission_ids
        ]

    def _post(self, message: OutgoingMessage) -> int:
        now = self._clock.now()
        at, posted_id = self._nonces.get(message.nonce, (None, 0))
        if at is not None and now - at <= NONCE_LIFETIME:
            return posted_id
        self.posts.append(message)
        self.posted_at.append(now)
        self._nonces[message.nonce] = now, len(self.posts)
        return len(self.posts)
