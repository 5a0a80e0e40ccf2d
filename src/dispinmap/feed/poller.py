"""Asks Pinball Map for news, and stores what it says together with what is promised because of it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.clock import Clock
from dispinmap.database.engine import Database, undivided
from dispinmap.database.queries import channels, heartbeat, promises, seen, submissions, targets
from dispinmap.database.queries import feed as feed_queries
from dispinmap.feed import schedule
from dispinmap.feed.cursor import Cursor, advance, keep_walking, reaches, read_back_to, unknown
from dispinmap.feed.settle import GRACE, Settling, settle
from dispinmap.matching.index import TargetIndex
from dispinmap.matching.promises import promised
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.errors import Limited, PinballMapError, Unavailable
from dispinmap.pinballmap.models import Nothing, Rows, Submission
from dispinmap.targets.models import Area, WatchedTarget

FEED_ROWS: Final = 200
PAGE_ROWS: Final = 50
"""Rows in an answer without and with a page number."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Poll:
    """What one look at the feed brought: new submissions, and notifications promised because of them."""

    new: int
    promised: int


class Poller:
    """One feed request per interval serves every target of every channel."""

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
        self._pinballmap = pinballmap
        self._database = database
        self._clock = clock
        self._shortest_interval = shortest_interval
        self._settle_window = settle_window
        self._wake_sender = wake_sender
        self._turn = asyncio.Lock()
        self._failures = 0
        self._not_before: datetime | None = None
        # Whether Pinball Map has answered since this process began.
        self._answered = False
        self.problem: str | None = None
        """Why Pinball Map could not be asked last time; None once it could."""
        self.polls: Counter[str] = Counter(ok=0, failed=0)
        """Polls since the start, by outcome."""

    async def begin(self) -> None:
        """Note, at the very first start, what is history: before anybody can ask for anything."""
        await self._cursor(self._clock.now())

    async def run(self) -> NoReturn:
        """Poll for ever, whenever it is time. Only errors that are ours end it."""
        while True:
            await self._clock.sleep(await self.step())

    async def step(self) -> float:
        """Poll if it is time to, and return the seconds after which to look at the time again."""
        async with self._turn:
            next_at = await self._next_poll_at()
            if next_at is not None and next_at <= self._clock.now():
                with suppress(PinballMapError):  # _poll() has reported it and set when to try again
                    await self._poll()
                next_at = await self._next_poll_at()
        # A smaller poll rate may be set meanwhile, so nobody sleeps longer than the shortest interval.
        longest = self._shortest_interval.total_seconds()
        return longest if next_at is None else min(max((next_at - self._clock.now()).total_seconds(), 0.0), longest)

    async def check(self) -> Poll:
        """Poll because somebody asked, unless that was done a moment ago. Raises PinballMapError."""
        async with self._turn:
            now = self._clock.now()
            if self._not_before is not None and now < self._not_before:
                raise PinballMapError(self.problem or "Pinball Map asked us to wait: try again later.")
            cursor = await self._cursor(now)
            if schedule.is_fresh(cursor.last_polled_at, now) and self.problem is None:
                return Poll(0, 0)
            return await self._poll()

    async def poll(self) -> Poll:
        """Ask Pinball Map and store the answer in one transaction. Raises PinballMapError, having stored nothing."""
        async with self._turn:
            return await self._poll()

    async def _poll(self) -> Poll:
        now = self._clock.now()
        cursor = await self._cursor(now)
        watched = await self._watched()
        interval = self._interval(min((each.poll_rate for each in watched), default=schedule.LONGEST_INTERVAL))
        try:
            rows = await self._read(cursor, watched)
        except PinballMapError as error:
            again_at = self._failed(error, now, interval)
            await self._hold_on(cursor, again_at + GRACE)
            raise
        result = await self._store(cursor, rows, now, Settling(self._settle_window, interval))
        self._succeeded(result)
        self._wake_sender()
        return result

    @undivided
    async def _next_poll_at(self) -> datetime | None:
        """None while nobody watches anything; then nothing is asked either."""
        now = self._clock.now()
        cursor = await self._cursor(now)
        async with self._database.read() as session:
            smallest = await feed_queries.smallest_poll_rate(session)
        if smallest is None:
            return None
        return self._not_before or schedule.next_poll(cursor.last_polled_at, self._interval(smallest), now)

    @undivided
    async def _cursor(self, now: datetime) -> Cursor:
        """Where the feed was left, or its beginning.

        The beginning is saved at the very first start: what exists by then is history, also if the first answer
        comes much later.
        """
        async with self._database.read() as session:
            cursor = await feed_queries.cursor(session)
        if cursor is None:
            cursor = Cursor(history_until=now, created_at=now)
            async with self._database.write() as session:
                await feed_queries.save_cursor(session, cursor)
        return cursor

    @undivided
    async def _watched(self) -> list[WatchedTarget]:
        async with self._database.read() as session:
            return await targets.watched(session)

    def _interval(self, smallest_poll_rate: timedelta) -> timedelta:
        return schedule.interval(smallest_poll_rate, self._shortest_interval)

    async def _read(self, cursor: Cursor, watched: Sequence[WatchedTarget]) -> list[Submission]:
        """The feed from its newest row back to what is known."""
        answer = await self._pinballmap.feed()
        rows, is_full = _rows(answer), _is_full(answer, FEED_ROWS)
        until = read_back_to(cursor, min((each.target.created_at for each in watched), default=cursor.created_at))
        places = {each.target.area or each.target.location_id for each in watched}
        pages = FEED_ROWS // PAGE_ROWS
        while rows and is_full and not reaches(rows, until):
            if not keep_walking(pages, rows[0].created_at, rows[-1].created_at, until, len(places)):
                log.warning("feed_gap_too_long", pages=pages, places=len(places))
                return rows + await self._look_up(places, until)
            pages += 1
            answer = await self._pinballmap.feed(pages)
            is_full = _is_full(answer, PAGE_ROWS)
            rows += _rows(answer)
        return rows

    async def _look_up(self, places: Collection[Area | int | None], until: datetime) -> list[Submission]:
        """Every watched place on its own."""
        # The server counts in whole days of its own zone, which may still be yesterday.
        since = (until - timedelta(days=1)).date()
        rows: list[Submission] = []
        for place in places:
            if isinstance(place, Area):
                rows += _rows(
                    await self._pinballmap.submissions_near(place.latitude, place.longitude, place.radius, since)
                )
            elif place is not None:
                rows += _rows(await self._pinballmap.submissions_at(place))
        return rows

    @undivided
    async def _store(self, cursor: Cursor, rows: Sequence[Submission], now: datetime, settling: Settling) -> Poll:
        async with self._database.write() as session:
            watched = await targets.watched(session)
            fresh = unknown(rows, await submissions.fed_ids(session, [row.id for row in rows]))
            await submissions.remember(session, fresh, now)
            news = [row for row in fresh if row.created_at > cursor.history_until]
            count = await self._promise(session, watched, news, rows, now, settling)
            due = [each.target for each in watched if each.due_at <= now]
            await targets.touch(session, [target.id for target in due], now)
            await channels.set_last_poll(session, {target.channel_id for target in due}, now)
            if rows and not self._answered:
                await heartbeat.doubt_first_answer(session, cursor.last_polled_at, max(row.created_at for row in rows))
            await feed_queries.save_cursor(session, advance(cursor, fresh, now))
        self._answered = True
        return Poll(len(fresh), count)

    async def _promise(
        self,
        session: AsyncSession,
        watched: Sequence[WatchedTarget],
        news: Sequence[Submission],
        rows: Sequence[Submission],
        now: datetime,
        settling: Settling,
    ) -> int:
        """Save what the news among the rows promise to whom; returns the number of notifications."""
        if not news:
            return 0
        found = promised(TargetIndex(watched), news, now, settling.interval)
        pairs = {(each.channel_id, each.submission.id) for each in found}
        already = await seen.seen(session, pairs)
        found = [each for each in found if (each.channel_id, each.submission.id) not in already]
        held = await promises.held_removals(session, min(row.created_at for row in news) - settling.window)
        settlement = settle(found, news, held, now, settling, rows)
        await seen.mark_seen(session, pairs - already, now)
        await promises.save(session, settlement.promises, now)
        await promises.cancel(session, settlement.cancelled)
        return len(settlement.promises)

    @undivided
    async def _hold_on(self, cursor: Cursor, until: datetime) -> None:
        """The window of some removals was not seen to its end: they stay held until the next poll has looked."""
        if cursor.last_polled_at is not None:
            async with self._database.write() as session:
                await promises.hold_removals(session, cursor.last_polled_at - self._settle_window, until)

    def _failed(self, error: PinballMapError, now: datetime, interval: timedelta) -> datetime:
        """Returns when to try again."""
        self._failures += 1
        self.polls["failed"] += 1
        retry_after = error.retry_after if isinstance(error, Limited | Unavailable) else None
        self._not_before = schedule.after_failure(now, interval, self._failures, retry_after)
        if self.problem is None:
            log.warning("pinballmap_outage_began", outcome=type(error).__name__)
        self.problem = str(error)
        return self._not_before

    def _succeeded(self, result: Poll) -> None:
        if self.problem is not None:
            log.info("pinballmap_outage_ended", failed_polls=self._failures)
        self.problem, self._failures, self._not_before = None, 0, None
        self.polls["ok"] += 1
        log.info("feed_polled", new=result.new, promised=result.promised)


def _rows(answer: Rows | Nothing) -> list[Submission]:
    return list(answer.submissions) if isinstance(answer, Rows) else []


def _is_full(answer: Rows | Nothing, size: int) -> bool:
    """Whether there may be more behind it. A row that could not be read takes up its place all the same."""
    return isinstance(answer, Rows) and len(answer.submissions) + answer.malformed >= size
