"""Finds posts that are already in a channel although the database does not know about them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from dispinmap.clock import Clock
from dispinmap.database.engine import Database, uninterrupted
from dispinmap.database.queries import heartbeat, outbox
from dispinmap.database.queries.outbox import SavedMessage
from dispinmap.outbox.destination import Destination
from dispinmap.outbox.models import Notification
from dispinmap.outbox.retry import is_in_doubt, may_be_posted_already

HISTORY_MARGIN: Final = timedelta(minutes=5)
"""How much earlier to begin the search than a post can have been made, because clocks differ."""


class Doubts:
    """Finds out from a channel's history which submissions were posted already.

    It is asked if Discord never answered an attempt, or if the database was restored.

    After a restore, one look covers everything that is due in the channel, up to `outbox.BATCH` notifications. Its
    result is kept until the next look, so `n` notifications cost about `n / BATCH` walks through the history. A walk
    reads 100 posts per request, begins when the oldest of the submissions was created, and ends as soon as all are
    found. With a backup that is seconds old, that is one or two requests per channel. With a backup from last month, it
    is a month of posts. The sender limits how many channels are searched at once.
    """

    def __init__(self, database: Database, destination: Destination, clock: Clock) -> None:
        self._database = database
        self._destination = destination
        self._clock = clock
        self._looks: dict[int, Mapping[int, int | None]] = {}
        """By channel, the result of the last look after a restore: submission id → post id, None if there is none."""

    async def posted(self, message: SavedMessage) -> Mapping[int, int]:
        """Which submissions of the message are already in the channel: submission id → post id.

        Raises DeliveryError if the channel's history cannot be read.
        """
        now = self._clock.now()
        if is_in_doubt(message.attempted_at, now):
            return await self._find(message.channel_id, message.notifications, min(message.created_at, now))
        looked = await self._look(message, now)
        return {id_: post_id for id_ in _ids(message.notifications) if (post_id := looked.get(id_)) is not None}

    async def _look(self, message: SavedMessage, now: datetime) -> Mapping[int, int | None]:
        """The last look, or a new one if the message has doubtful notifications that the last look did not cover."""
        restored_at, due = await self._restored(message.channel_id, now)
        doubtful = _doubtful(message.notifications, restored_at)
        known = self._looks.get(message.channel_id, {})
        if known.keys() >= _ids(doubtful):
            return known
        doubtful += _doubtful(due, restored_at)
        found = await self._find(message.channel_id, doubtful, now)
        known = self._looks[message.channel_id] = {id_: found.get(id_) for id_ in _ids(doubtful)}
        return known

    async def _find(
        self, channel_id: int, notifications: Iterable[Notification], no_later_than: datetime
    ) -> Mapping[int, int]:
        """Nothing is posted before it was created, so search from then on, but from `no_later_than` at the latest."""
        since = min(no_later_than, *(each.submission.created_at for each in notifications)) - HISTORY_MARGIN
        return await self._destination.find(channel_id, _ids(notifications), since)

    @uninterrupted
    async def _restored(self, channel_id: int, now: datetime) -> tuple[datetime | None, list[Notification]]:
        """When the database was restored, and everything that is due in the channel."""
        async with self._database.read() as session:
            restored_at = await heartbeat.restored_at(session)
            return restored_at, [] if restored_at is None else await outbox.leaving(session, channel_id, now)


def _ids(notifications: Iterable[Notification]) -> set[int]:
    return {each.submission.id for each in notifications}


def _doubtful(notifications: Iterable[Notification], restored_at: datetime | None) -> list[Notification]:
    return [each for each in notifications if may_be_posted_already(each.submission.created_at, restored_at)]
