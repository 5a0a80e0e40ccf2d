"""The daily clean-up: delete what was delivered long ago, and write down the times of the last checks.

If we deleted a submission that the feed still shows, a poll could announce it again. So a run first declares everything
up to a certain time history (`feed_state.history_until`), and only the next run deletes it: by then every poll respects
that boundary, even one that was under way when it was moved.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NoReturn, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.clock import Clock
from dispinmap.database.engine import Database, uninterrupted
from dispinmap.database.queries import channels, feed, retention, targets
from dispinmap.feed.cursor import Cursor

FIRST_AFTER: Final = timedelta(minutes=5)
"""The first run waits, because a start is busy enough."""
EVERY: Final = timedelta(days=1)
CLOCK_MARGIN: Final = timedelta(days=1)
"""`seen_at` comes from our clock and `created_at` from Pinball Map's: they can differ."""

log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retention:
    """How long rows are kept."""

    messages: timedelta
    """Sent and rejected messages with their notifications."""
    submissions: timedelta
    """Our copy of submissions, and which channels saw them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The times up to which rows are deleted now, and up to which everything is history from now on."""

    messages: datetime
    submissions: datetime
    seen: datetime
    history: datetime


def limits(keep: Retention, cursor: Cursor, now: datetime) -> Limits:
    """Count back from the newest submission read, not from now: after an outage, unread news must not be too old."""
    newest = min(now, cursor.created_at)
    history = max(cursor.history_until, newest - keep.submissions)
    submissions = min(cursor.history_until, newest - keep.submissions)
    return Limits(newest - keep.messages, submissions, submissions - CLOCK_MARGIN, history)


class Housekeeper:
    """Tidies the database once a day, in small transactions."""

    def __init__(self, database: Database, clock: Clock, keep: Retention) -> None:
        self._database = database
        self._clock = clock
        self._keep = keep

    async def run(self) -> NoReturn:
        """Tidy up once a day, forever."""
        await self._clock.sleep(FIRST_AFTER.total_seconds())
        while True:
            await self.tidy()
            await self._clock.sleep(EVERY.total_seconds())

    async def tidy(self) -> None:
        """Note the last checks, delete old rows, and give free pages back.

        Nothing is old before the feed was read for the first time.
        """
        async with self._database.read() as session:
            cursor = await feed.cursor(session)
        if cursor is not None:
            await self._note_checks(cursor.last_polled_at)
            await self._delete(limits(self._keep, cursor, self._clock.now()))
        pages = await self._repeat(retention.give_back_pages)
        await self._optimize()
        log.info("pages_given_back", pages=pages)

    async def _note_checks(self, polled_at: datetime | None) -> None:
        """Write the time of the last poll to every target and channel.

        Every poll serves all of them, so once a day is enough; `feed_state.last_polled_at` has the exact time.
        """
        if polled_at is None:
            return
        for note in (targets.note_checks, channels.note_polls):
            last: int | None = 0
            while last is not None:
                last = await self._once(partial(note, after=last, at=polled_at))

    async def _delete(self, upto: Limits) -> None:
        messages = await self._repeat(lambda session: retention.delete_messages(session, upto.messages))
        cancelled = await self._repeat(lambda session: retention.delete_cancelled(session, upto.submissions))
        submissions = await self._repeat(lambda session: retention.delete_submissions(session, upto.submissions))
        seen = await self._repeat(lambda session: retention.delete_seen(session, upto.seen))
        await self._declare_history(upto.history)
        log.info("old_rows_deleted", messages=messages, cancelled=cancelled, submissions=submissions, seen=seen)

    async def _repeat(self, step: Callable[[AsyncSession], Awaitable[int]]) -> int:
        """Repeat `step`, each time in its own transaction, until it has nothing more to do. Returns the total."""
        total = 0
        while done := await self._once(step):
            total += done
        return total

    @uninterrupted
    async def _once(self, step: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with self._database.write() as session:
            return await step(session)

    @uninterrupted
    async def _declare_history(self, until: datetime) -> None:
        async with self._database.write() as session:
            cursor = await feed.cursor(session)
            if cursor is not None:
                await feed.save_cursor(session, replace(cursor, history_until=max(cursor.history_until, until)))

    @uninterrupted
    async def _optimize(self) -> None:
        async with self._database.write() as session:
            await retention.optimize(session)
