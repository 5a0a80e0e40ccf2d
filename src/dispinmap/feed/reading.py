"""Reads the feed from Pinball Map: its newest rows, and the rows of a gap behind them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from dispinmap.database.engine import Database, uninterrupted
from dispinmap.database.queries import submissions, targets
from dispinmap.feed.cursor import SHARED_ROWS, Cursor, next_page, pages_left, reaches, read_back_to
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.models import ASKED_TYPES, Nothing, Rows, Submission
from dispinmap.targets.models import Area

NEWEST_ROWS: Final = 200
"""The most rows in an answer without a page number, for the feed or for one place."""
LOOKED_UP_PLACES: Final = 20
"""If more places than this are watched, a gap is read page by page."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows of the feed. `complete` says that no row is missing between them and what is known."""

    rows: list[Submission]
    complete: bool
    by_name: bool = True
    """Whether the request named the types. If not, closed places may be missing even if `complete` is set."""


class FeedReader:
    """Its methods raise PinballMapError and write nothing.

    Requests name the submission types, because otherwise Pinball Map leaves out closed places. But naming them hides
    types that Pinball Map adds later, so every other request for the newest rows names none. Requests for a gap always
    name them, so a gap's rows of unknown types are not read.
    """

    def __init__(self, pinballmap: PinballMapClient, database: Database, settle_window: timedelta) -> None:
        self._pinballmap = pinballmap
        self._database = database
        self._settle_window = settle_window
        self._by_name = False
        # How many rows further down the gap continues than our copy suggests, because rows came or vanished since.
        self._shift = 0
        # The time that the gap is read back to; None until this process reads its first page.
        self._gap_until: datetime | None = None

    async def newest(self, cursor: Cursor) -> Reading:
        """The newest rows of the feed. If they leave a gap that few look-ups can close, these rows are added."""
        self._by_name = not self._by_name
        answer = await self._pinballmap.feed(types=ASKED_TYPES if self._by_name else ())
        rows = _rows(answer)
        if not _is_full(answer, NEWEST_ROWS) or reaches(rows, read_back_to(cursor)):
            return Reading(rows, complete=True, by_name=self._by_name)
        if not self._by_name:
            # Read the gap by name, so that it includes closed places.
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
        """The rows of a gap before `cursor.unread_before`, or none if the page was the wrong one.

        The number of newer rows in our copy tells which page to ask for. The page only counts if it begins with rows
        that were already read: then no row is missing in between. If it does not, the next call asks for another page.
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
        """Look up every watched place. Complete only if each answer reaches back far enough or has all of its rows."""
        # The server counts whole days in its own time zone, which may be a day behind.
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
                # Leave out the rows of other places: the oldest row tells how far back the whole feed was read.
                return Reading(rows, complete=False)
            looked_up += [row for row in found if row.created_at > until]
        return Reading(rows + looked_up, complete=True)

    @uninterrupted
    async def _until(self, cursor: Cursor) -> datetime:
        """The time that the feed must be read back to. This reads all targets, so call it for a gap only."""
        async with self._database.read() as session:
            oldest = await targets.oldest_created_at(session)
        # A removal from before the oldest target can be undone by a return that is news to this target.
        return read_back_to(cursor, None if oldest is None else oldest - self._settle_window)

    @uninterrupted
    async def _places(self) -> set[Area | int] | None:
        async with self._database.read() as session:
            return await targets.places(session, LOOKED_UP_PLACES)

    @uninterrupted
    async def _rows_read(self, cursor: Cursor) -> int:
        async with self._database.read() as session:
            return 0 if cursor.unread_before is None else await submissions.count_since(session, cursor.unread_before)

    async def _joins(self, rows: list[Submission], cursor: Cursor) -> bool:
        """Whether the page begins with a row that is newer than the gap, or with a known row of the same second."""
        if not rows or cursor.unread_before is None or rows[0].created_at < cursor.unread_before:
            return False
        return rows[0].created_at > cursor.unread_before or await self._all_known(rows[:1])

    @uninterrupted
    async def _all_known(self, rows: Sequence[Submission]) -> bool:
        async with self._database.read() as session:
            return len(await submissions.known_ids(session, [row.id for row in rows])) == len(rows)


def _rows(answer: Rows | Nothing) -> list[Submission]:
    return list(answer.submissions) if isinstance(answer, Rows) else []


def _is_full(answer: Rows | Nothing, size: int) -> bool:
    """Whether more rows may follow. Malformed rows take up space in the answer too."""
    return isinstance(answer, Rows) and len(answer.submissions) + answer.malformed >= size
