"""What may stand in a channel already although the database does not know it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from dispinmap.clock import Clock
from dispinmap.database.engine import Database, undivided
from dispinmap.database.queries import heartbeat, outbox
from dispinmap.database.queries.outbox import SavedMessage
from dispinmap.outbox.destination import Destination
from dispinmap.outbox.notifications import Notification
from dispinmap.outbox.retry import is_in_doubt, may_be_forgotten

HISTORY_MARGIN: Final = timedelta(minutes=5)
"""How much earlier than it can have been made a post is looked for: clocks differ."""


class Doubts:
    """Looks in a channel's own history where an attempt was never answered, or where the database was restored.

    After a restore one look tells about everything due in the channel, `outbox.BATCH` notifications at most, and is
    remembered until the next one: `n` of them cost about `n / BATCH` walks through what was posted since the oldest
    was created, 100 posts a request, however few of them fit into a message. A walk ends where all are found. After a
    backup that is seconds old that is a request or two a channel, after one of last month a month of its posts; no
    more channels are walked through at once than the sender serves.
    """

    def __init__(self, database: Database, destination: Destination, clock: Clock) -> None:
        self._database = database
        self._destination = destination
        self._clock = clock
        self._looks: dict[int, Mapping[int, int | None]] = {}
        """By channel, what the last look after a restore was for: submission id → post id, None where there is none."""

    async def posted(self, message: SavedMessage) -> Mapping[int, int]:
        """Which submissions of the message are in the channel already: submission id → post id.

        Raises DeliveryError where the channel's history cannot be read.
        """
        now = self._clock.now()
        if is_in_doubt(message.attempted_at, now):
            return await self._find(message.channel_id, message.notifications, min(message.created_at, now))
        looked = await self._look(message, now)
        return {id_: post_id for id_ in _ids(message.notifications) if (post_id := looked.get(id_)) is not None}

    async def _look(self, message: SavedMessage, now: datetime) -> Mapping[int, int | None]:
        """What is known of the doubtful ones of the message since the restore; nothing where there are none."""
        restored_at, due = await self._restored(message.channel_id, now)
        doubtful = _forgettable(message.notifications, restored_at)
        known = self._looks.get(message.channel_id, {})
        if known.keys() >= _ids(doubtful):
            return known
        doubtful += _forgettable(due, restored_at)
        found = await self._find(message.channel_id, doubtful, now)
        known = self._looks[message.channel_id] = {id_: found.get(id_) for id_ in _ids(doubtful)}
        return known

    async def _find(
        self, channel_id: int, notifications: Iterable[Notification], no_later_than: datetime
    ) -> Mapping[int, int]:
        """Nothing can have been posted before it was created, and before this attempt was noted."""
        since = min(no_later_than, *(each.submission.created_at for each in notifications)) - HISTORY_MARGIN
        return await self._destination.find(channel_id, _ids(notifications), since)

    @undivided
    async def _restored(self, channel_id: int, now: datetime) -> tuple[datetime | None, list[Notification]]:
        """When the database was restored, and what is due in the channel besides."""
        async with self._database.read() as session:
            restored_at = await heartbeat.restored_at(session)
            return restored_at, [] if restored_at is None else await outbox.leaving(session, channel_id, now)


def _ids(notifications: Iterable[Notification]) -> set[int]:
    return {each.submission.id for each in notifications}


def _forgettable(notifications: Iterable[Notification], restored_at: datetime | None) -> list[Notification]:
    return [each for each in notifications if may_be_forgotten(each.submission.created_at, restored_at)]
