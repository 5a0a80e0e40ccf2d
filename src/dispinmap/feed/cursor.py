"""How far back the feed must be read, and which page comes next (pure)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from dispinmap.pinballmap.models import Submission

OVERLAP: Final = timedelta(minutes=10)
"""Rows can become visible slightly later than newer ones, so this much of what was read is read again."""
PAGE_ROWS: Final = 50
"""The most rows that a page of the feed can have."""
SHARED_ROWS: Final = 3
"""The next page should overlap what was read by at least this many rows."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the feed has been read."""

    history_until: datetime
    """Everything created up to here is history: it was there before the bot first read the feed."""
    created_at: datetime
    """Everything created up to here was read and matched; the bot's first start if there was nothing."""
    last_polled_at: datetime | None = None
    """When the feed was last read without a gap; None until the first answer."""
    reading_since: datetime | None = None
    """When the bot began to read a gap; None if there is no gap."""
    unread_before: datetime | None = None
    """The part of the gap from `created_at` to here must still be read; None once the gap is read."""

    @property
    def progress(self) -> float:
        """How much of the gap was read, from 0 to 1."""
        if self.reading_since is None or self.unread_before is None:
            return 1.0
        whole = self.reading_since - self.created_at
        return min(max((self.reading_since - self.unread_before) / whole, 0.0), 1.0) if whole else 1.0


def read_back_to(cursor: Cursor, oldest_target_at: datetime | None = None) -> datetime:
    """The time that the feed must be read back to: to what is known, but no further than any target needs."""
    until = max(cursor.created_at - OVERLAP, cursor.history_until)
    return until if oldest_target_at is None else max(until, oldest_target_at)


def reaches(rows: Iterable[Submission], until: datetime) -> bool:
    """Whether at least one row was created at `until` or before."""
    return any(row.created_at <= until for row in rows)


def pages_left(rows: Collection[Submission], until: datetime) -> float:
    """About how many pages it takes to read back to `until`, if earlier rows are as dense as these."""
    newest, oldest = max(row.created_at for row in rows), min(row.created_at for row in rows)
    span = newest - oldest
    return len(rows) / PAGE_ROWS * ((oldest - until) / span) if span else float("inf")


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of the feed. Each page has `limit` rows; pages are numbered from 1."""

    limit: int
    number: int

    @property
    def begins_at(self) -> int:
        """How many rows are newer than its first one."""
        return self.limit * (self.number - 1)

    @property
    def ends_at(self) -> int:
        return self.limit * self.number


def next_page(rows_read: int) -> FeedPage:
    """The page that overlaps the newest `rows_read` rows and brings the most rows after them.

    Pages of one size never overlap: if a row that was read vanishes, the first row of the next page moves into the last
    page and would never be read. So the size varies.
    """
    start = max(rows_read - SHARED_ROWS, 0)
    pages = (FeedPage(limit, start // limit + 1) for limit in range(PAGE_ROWS, PAGE_ROWS // 2, -1))
    return max(pages, key=lambda page: page.ends_at)


def new_rows(rows: Iterable[Submission], known_ids: Collection[int]) -> list[Submission]:
    """The rows that are not in our copy, oldest first, each once."""
    fresh = {row.id: row for row in rows if row.id not in known_ids}
    return sorted(fresh.values(), key=lambda row: (row.created_at, row.id))


def advance(cursor: Cursor, rows: Iterable[Submission], now: datetime) -> Cursor:
    """The cursor after these rows were matched.

    It never lies in the future, even if a row or an earlier clock did: that would hide all rows until then.
    """
    newest = max((row.created_at for row in rows), default=cursor.created_at)
    return replace(
        cursor,
        history_until=min(cursor.history_until, now),
        created_at=min(max(cursor.created_at, newest), now),
    )


def read_without_gap(cursor: Cursor, polled_at: datetime) -> Cursor:
    """The cursor after a poll at `polled_at` read the feed without a gap."""
    return replace(cursor, last_polled_at=polled_at, reading_since=None, unread_before=None)
