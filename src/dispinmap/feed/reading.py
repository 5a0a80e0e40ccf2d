"""Asks Pinball Map for the feed: its newest rows, and what a gap hides behind them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from dispinmap.database.engine import Database, undivided
from dispinmap.database.queries import submissions, targets
from dispinmap.feed.cursor import SHARED_ROWS, Cursor, next_page, pages_left, reaches, read_back_to
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.models import ASKED_TYPES, Nothing, Rows, Submission
from dispinmap.targets.models import Area

NEWEST_ROWS: Final = 200
"""Rows in an answer without a page number, of the feed or of one place."""
LOOKED_UP_PLACES: Final = 20
"""If more places than this are watched, a gap is read page by page."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows of the feed. `complete` says that nothing is missing between them and what is known."""

    rows: list[Submission]
    complete: bool
    by_name: bool = True
    """Whether the types were asked for by name. Otherwise closed places may be missing all the same."""


class FeedReader:
    """Every method raises PinballMapError, and writes nothing.

    The types are asked for by name, because otherwise Pinball Map leaves closed places out. That hides types which it
    adds later, so every other look at the newest rows names none. The rows of a gap are asked for by name alone: those
    of a type that we cannot name are not read.
    """

    def __init__(self, pinballmap: PinballMapClient, database: Database) -> None:
        self._pinballmap = pinballmap
        self._database = database
        self._by_name = False
        # How many rows further down a gap goes on than our copy tells: news came since, or rows vanished.
        self._shift = 0
        # Down to where a gap is read; None until the first page of this process.
        self._gap_until: datetime | None = None

    async def newest(self, cursor: Cursor) -> Reading:
        """The newest rows of the feed. If they leave a gap, it is closed here if few look-ups can do that."""
        self._by_name = not self._by_name
        answer = await self._pinballmap.feed(types=ASKED_TYPES if self._by_name else ())
        rows = _rows(answer)
        if not _is_full(answer, NEWEST_ROWS) or reaches(rows, read_back_to(cursor)):
            return Reading(rows, complete=True, by_name=self._by_name)
        if not self._by_name:
            return await self.newest(cursor)
        until = await self._until(cursor)
        if not rows or reaches(rows, until):
            return Reading(rows, complete=True)
        self._shift, self._gap_until = 0, until
        places = await self._places()
        if places is None or len(places) >= pages_left(rows, until):
            return Reading(rows, complete=False)
        return await self._look_up(rows, places, until)

    async def older(self, cursor: Cursor) -> Reading:
        """The rows of a gap that go on before `cursor.unread_before`, or none if the page was the wrong one.

        The page is found by the number of rows in our copy that are newer. It counts only if it begins with what was
        read: then no row is missing in between. If it does not, the next call asks for another page.
        """
        until = self._gap_until = self._gap_until or await self._until(cursor)
        page = next_page(max(await self._rows_read(cursor) + self._shift, 0))
        answer = await self._pinballmap.feed(page.number, limit=page.limit, types=ASKED_TYPES)
        rows = _rows(answer)
        if page.begins_at and not await self._joins(rows, cursor):
            self._shift -= page.limit
            return Reading([], complete=False)
        complete = not _is_full(answer, page.limit) or reaches(rows, until)
        if not complete and await self._all_known(rows):
            self._shift += page.limit - SHARED_ROWS
        return Reading(rows, complete)

    async def _look_up(self, rows: list[Submission], places: Collection[Area | int], until: datetime) -> Reading:
        """Every watched place on its own. Complete only if each answer reaches back far enough, or is all there is."""
        # The server counts in whole days of its own zone, which may still be yesterday.
        since = (until - timedelta(days=1)).date()
        looked_up: list[Submission] = []
        for place in places:
            if isinstance(place, Area):
                answer = await self._pinballmap.submissions_near(
                    place.latitude, place.longitude, place.radius, since, types=ASKED_TYPES
                )
            else:
                answer = await self._pinballmap.submissions_at(place, types=ASKED_TYPES)
            found = _rows(answer)
            if _is_full(answer, NEWEST_ROWS) and not reaches(found, until):
                log.info("feed_gap_too_wide_for_look_ups", places=len(places))
                # Without what other places brought: the oldest row says how far the whole feed was read.
                return Reading(rows, complete=False)
            looked_up += [row for row in found if row.created_at > until]
        return Reading(rows + looked_up, complete=True)

    @undivided
    async def _until(self, cursor: Cursor) -> datetime:
        """Down to where the feed has to be read. This looks at every target, so it is asked at a gap only."""
        async with self._database.read() as session:
            return read_back_to(cursor, await targets.oldest_created_at(session))

    @undivided
    async def _places(self) -> set[Area | int] | None:
        async with self._database.read() as session:
            return await targets.places(session, LOOKED_UP_PLACES)

    @undivided
    async def _rows_read(self, cursor: Cursor) -> int:
        async with self._database.read() as session:
            return 0 if cursor.unread_before is None else await submissions.count_since(session, cursor.unread_before)

    async def _joins(self, rows: list[Submission], cursor: Cursor) -> bool:
        """Whether the page begins above the gap. Many rows can be of one second: then its first row must be known."""
        if not rows or cursor.unread_before is None or rows[0].created_at < cursor.unread_before:
            return False
        return rows[0].created_at > cursor.unread_before or await self._all_known(rows[:1])

    @undivided
    async def _all_known(self, rows: Sequence[Submission]) -> bool:
        async with self._database.read() as session:
            return len(await submissions.known_ids(session, [row.id for row in rows])) == len(rows)


def _rows(answer: Rows | Nothing) -> list[Submission]:
    return list(answer.submissions) if isinstance(answer, Rows) else []


def _is_full(answer: Rows | Nothing, size: int) -> bool:
    """Whether there may be more behind it. A row that could not be read takes up its place all the same."""
    return isinstance(answer, Rows) and len(answer.submissions) + answer.malformed >= size
