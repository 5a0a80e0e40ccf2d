"""Polls Pinball Map on schedule. Submissions, notifications and cursor are saved in one transaction."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NoReturn

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.clock import Clock
from dispinmap.database.engine import Database, uninterrupted
from dispinmap.database.queries import cells, heartbeat, submissions
from dispinmap.database.queries import feed as feed_queries
from dispinmap.feed import schedule
from dispinmap.feed.cursor import Cursor, advance, new_rows, read_back_to, read_without_gap
from dispinmap.feed.matcher import Matcher
from dispinmap.feed.reading import FeedReader, Reading
from dispinmap.outbox.waiting import reconsider_all
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.errors import Limited, PinballMapError, Unavailable
from dispinmap.pinballmap.models import Submission

BATCH: Final = 200
"""The number of submissions in a gap that are matched in one transaction."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Poll:
    """The result of a poll: new submissions, the notifications for them, and how far the feed is read."""

    cursor: Cursor
    new: int = 0
    notifications: int = 0


@dataclass(frozen=True, slots=True)
class _Start:
    """What a poll needs to know from the database."""

    cursor: Cursor
    poll_rate: timedelta | None
    """The smallest poll rate in use; None while nothing is watched."""
    has_unmapped: bool


class Poller:
    """One feed request per interval serves every target of every channel.

    If the answer does not reach back to what is known, there is a gap, which is read one page per step. The progress is
    saved, so that a restart continues there. Nothing is matched before the gap is read. Then everything is matched in
    the order in which it happened, and each channel gets what it missed together.
    """

    def __init__(
        self,
        pinballmap: PinballMapClient,
        database: Database,
        clock: Clock,
        *,
        shortest_interval: timedelta,
        settle_window: timedelta,
        wake_sender: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._shortest_interval = shortest_interval
        self._settle_window = settle_window
        self._wake_sender = wake_sender
        self._reader = FeedReader(pinballmap, database, settle_window)
        self._matcher = Matcher(settle_window)
        self._turn = asyncio.Lock()
        self._failures = 0
        self._failed_at: datetime | None = None
        self._pause = timedelta(0)
        # Whether Pinball Map has answered since this process started.
        self._answered = False
        self.problem: str | None = None
        """Why the last request to Pinball Map failed; None if it succeeded."""
        self.polls: Counter[str] = Counter(ok=0, failed=0)
        """Polls since the start, by outcome."""

    async def begin(self) -> None:
        """Call this before commands are accepted: the very first start notes which submissions are history."""
        await self._look(self._clock.now())
        async with self._database.write() as session:
            await cells.tidy_cells(session)

    async def run(self) -> NoReturn:
        """Poll forever, on schedule. Only errors in our own code end this."""
        while True:
            await self._clock.sleep(await self.step())

    async def step(self) -> float:
        """Poll if it is time. Returns the seconds to sleep before the next step: 0 while a gap is being read."""
        async with self._turn:
            now = self._clock.now()
            start = await self._look(now)
            next_at = self._next_poll_at(start.cursor, start.poll_rate, now)
            if next_at is not None and next_at <= now:
                cursor = start.cursor
                with suppress(PinballMapError):  # _poll() has reported it and decided when to try again
                    cursor = (await self._poll(start, now)).cursor
                next_at = self._next_poll_at(cursor, start.poll_rate, self._clock.now())
        # Someone may set a smaller poll rate, so never sleep longer than the shortest interval.
        longest = self._shortest_interval.total_seconds()
        return longest if next_at is None else min(max((next_at - self._clock.now()).total_seconds(), 0.0), longest)

    async def check(self) -> Poll:
        """Poll because someone asked, unless that is useless now. Raises PinballMapError."""
        async with self._turn:
            now = self._clock.now()
            not_before = self._not_before(now)
            if not_before is not None and now < not_before:
                raise PinballMapError(self.problem or "Pinball Map asked us to wait: try again later.")
            start = await self._look(now)
            is_fresh = schedule.is_fresh(start.cursor.last_polled_at, now) and self.problem is None
            if is_fresh or start.cursor.reading_since is not None:
                return Poll(start.cursor)
            return await self._poll(start, now)

    async def poll(self) -> Poll:
        """Ask Pinball Map once and store the answer. Raises PinballMapError; then nothing is stored."""
        async with self._turn:
            now = self._clock.now()
            return await self._poll(await self._look(now), now)

    async def _poll(self, start: _Start, now: datetime) -> Poll:
        cursor = start.cursor
        # The matcher finds areas by their map cells, so map new areas first.
        more = start.has_unmapped
        while more:
            more = await self._map_targets()
        if cursor.reading_since is not None and cursor.unread_before is None:
            result = await self._match_gap(cursor, now)
        else:
            try:
                reading = await (self._reader.newest if cursor.reading_since is None else self._reader.older)(cursor)
            except PinballMapError as error:
                self._failed(error, now, self._interval(start.poll_rate))
                raise
            self._succeeded()
            result = await self._store(cursor, reading, now)
        self._wake_sender()
        return result

    async def _store(self, cursor: Cursor, reading: Reading, now: datetime) -> Poll:
        if cursor.reading_since is not None:
            return await self._narrow_gap(cursor, reading)
        if reading.complete and len(reading.rows) <= BATCH:
            return await self._store_news(cursor, reading, now)
        # Too many rows for one transaction are treated like a gap, even if none of them is missing.
        return await self._open_gap(cursor, reading, now)

    @uninterrupted
    async def _store_news(self, cursor: Cursor, reading: Reading, now: datetime) -> Poll:
        """The usual case: everything since the last poll is in one answer."""
        rows = reading.rows
        async with self._database.write() as session:
            fresh = new_rows(rows, await submissions.known_ids(session, [row.id for row in rows], matched=True))
            await submissions.remember(session, fresh)
            made = await self._matcher.match(session, fresh, cursor.history_until, now)
            await self._reconsider_after_setback(session, cursor, now)
            await self._note_first_answer(session, cursor, rows)
            # If the types were not asked for by name, closed places may be missing: the next poll must read this again.
            after = read_without_gap(advance(cursor, fresh if reading.by_name else (), now), now)
            await feed_queries.save_cursor(session, after)
        log.info("feed_polled", new=len(fresh), notifications=made)
        return Poll(after, len(fresh), made)

    @uninterrupted
    async def _open_gap(self, cursor: Cursor, reading: Reading, now: datetime) -> Poll:
        oldest = None if reading.complete else min(row.created_at for row in reading.rows)
        begun = replace(cursor, reading_since=now, unread_before=oldest)
        async with self._database.write() as session:
            new = await _remember_new(session, reading.rows)
            await self._note_first_answer(session, cursor, reading.rows)
            await feed_queries.save_cursor(session, begun)
        log.warning("feed_gap_found", since=cursor.created_at.isoformat())
        return Poll(begun, new)

    @uninterrupted
    async def _narrow_gap(self, cursor: Cursor, reading: Reading) -> Poll:
        known = [cursor.unread_before] if cursor.unread_before is not None else []
        oldest = min([*known, *(row.created_at for row in reading.rows)])
        narrowed = replace(cursor, unread_before=None if reading.complete else oldest)
        async with self._database.write() as session:
            new = await _remember_new(session, reading.rows)
            await feed_queries.save_cursor(session, narrowed)
        log.info("feed_gap_read", back_to=oldest.isoformat(), percent=round(100 * narrowed.progress))
        return Poll(narrowed, new)

    @uninterrupted
    async def _match_gap(self, cursor: Cursor, now: datetime) -> Poll:
        """Match the next rows of a gap that was read. After the last rows, the gap is closed."""
        async with self._database.write() as session:
            rows = await submissions.unmatched(session, read_back_to(cursor), BATCH)
            made = await self._matcher.match(session, rows, cursor.history_until, now)
            after = advance(cursor, rows, now)
            is_last = len(rows) < BATCH
            if is_last:
                await self._reconsider_after_setback(session, cursor, now)
                # Submissions that came while the gap was read are not covered: the next poll reads them.
                after = read_without_gap(after, min(cursor.reading_since or now, now))
            await feed_queries.save_cursor(session, after)
        if is_last:
            log.info("feed_gap_closed")
        return Poll(after, 0, made)

    async def _reconsider_after_setback(self, session: AsyncSession, cursor: Cursor, now: datetime) -> None:
        """If the clock was set back since the last poll, what waits may wait for times that are far away now."""
        if cursor.last_polled_at is not None and cursor.last_polled_at > now:
            await reconsider_all(session, now, self._settle_window)

    async def _note_first_answer(self, session: AsyncSession, cursor: Cursor, rows: Sequence[Submission]) -> None:
        if rows and not self._answered:
            await heartbeat.doubt_first_answer(session, cursor.last_polled_at, max(row.created_at for row in rows))
        self._answered = True

    def _next_poll_at(self, cursor: Cursor, poll_rate: timedelta | None, now: datetime) -> datetime | None:
        """When to poll next; None while nothing is watched, because then there is no need to."""
        if poll_rate is None:
            return None
        if (not_before := self._not_before(now)) is not None:
            return not_before
        if cursor.reading_since is not None:
            return now
        return schedule.next_poll(cursor.last_polled_at, self._interval(poll_rate), now)

    def _not_before(self, now: datetime) -> datetime | None:
        """The end of the pause after a failure. If the clock was set back since, the whole pause begins again."""
        if self._failed_at is None:
            return None
        self._failed_at = min(self._failed_at, now)
        return self._failed_at + self._pause

    def _interval(self, poll_rate: timedelta | None) -> timedelta:
        return schedule.interval(poll_rate or schedule.LONGEST_INTERVAL, self._shortest_interval)

    @uninterrupted
    async def _look(self, now: datetime) -> _Start:
        """Read what a poll needs to know.

        The very first start saves the time: everything created before is history, even if the first answer comes much
        later.
        """
        async with self._database.read() as session:
            cursor = await feed_queries.cursor(session)
            poll_rate = await feed_queries.smallest_poll_rate(session)
            has_unmapped = await cells.has_unmapped(session)
        if cursor is None:
            cursor = Cursor(history_until=now, created_at=now)
            async with self._database.write() as session:
                await feed_queries.save_cursor(session, cursor)
        return _Start(cursor, poll_rate, has_unmapped)

    @uninterrupted
    async def _map_targets(self) -> bool:
        """Calculate map cells for some areas that have none. Returns whether there were any."""
        async with self._database.write() as session:
            return bool(await cells.map_targets(session))

    def _failed(self, error: PinballMapError, now: datetime, interval: timedelta) -> None:
        self._failures += 1
        self.polls["failed"] += 1
        retry_after = error.retry_after if isinstance(error, Limited | Unavailable) else None
        self._failed_at = now
        self._pause = schedule.pause_after_failure(interval, self._failures, retry_after)
        if self.problem is None:
            log.warning("pinballmap_outage_began", outcome=type(error).__name__)
        self.problem = str(error)

    def _succeeded(self) -> None:
        if self.problem is not None:
            log.info("pinballmap_outage_ended", failed_polls=self._failures)
        self.problem, self._failures, self._failed_at = None, 0, None
        self.polls["ok"] += 1


async def _remember_new(session: AsyncSession, rows: Sequence[Submission]) -> int:
    """Store the rows that our copy does not have. Returns their number."""
    fresh = new_rows(rows, await submissions.known_ids(session, [row.id for row in rows]))
    await submissions.remember(session, fresh)
    return len(fresh)
