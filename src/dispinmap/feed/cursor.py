"""How far back the feed has to be read, and which page of it comes next (pure)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from dispinmap.pinballmap.models import Submission

OVERLAP: Final = timedelta(minutes=10)
"""Rows can become visible slightly after newer ones; this much of what was read is read again."""
PAGE_ROWS: Final = 50
"""The most rows that a page of the feed can have."""
SHARED_ROWS: Final = 3
"""By so many rows, at least, the next page is meant to overlap what was read."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the feed has been read."""

    history_until: datetime
    """What was created up to here is history: it was there before the bot first looked."""
    created_at: datetime
    """Everything up to here was read and matched; the start if there was nothing."""
    last_polled_at: datetime | None = None
    """When the feed was last read without a gap; None until the first answer."""
    reading_since: datetime | None = None
    """When the reading of a gap began; None while there is none."""
    unread_before: datetime | None = None
    """What was created before, down to `created_at`, is still to be read; None once the gap is read."""

    @property
    def progress(self) -> float:
        """How much of the gap is read, from 0 to 1."""
        if self.reading_since is None or self.unread_before is None:
            return 1.0
        whole = self.reading_since - self.created_at
        return min(max((self.reading_since - self.unread_before) / whole, 0.0), 1.0) if whole else 1.0


def read_back_to(cursor: Cursor, oldest_target_at: datetime | None = None) -> datetime:
    """Until when the feed must be read: to what is known already, and not past what any target can want."""
    until = max(cursor.created_at - OVERLAP, cursor.history_until)
    return until if oldest_target_at is None else max(until, oldest_target_at)


def reaches(rows: Iterable[Submission], until: datetime) -> bool:
    """Whether these rows go back far enough."""
    return any(row.created_at <= until for row in rows)


def pages_left(rows: Collection[Submission], until: datetime) -> float:
    """About how many pages it takes to read from these rows back to `until`, if news come as often as in them."""
    newest, oldest = max(row.created_at for row in rows), min(row.created_at for row in rows)
    span = newest - oldest
    return len(rows) / PAGE_ROWS * ((oldest - until) / span) if span else float("inf")


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of the feed: `limit` rows each, numbered from 1."""

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
    """The page that goes on after the newest `rows_read` rows, overlaps them and brings the most new ones.

    Pages of one size never overlap, and a row that vanishes from what was read moves another one from the next page
    into the last: it would not be read at all. So the size varies.
    """
    start = max(rows_read - SHARED_ROWS, 0)
    pages = (FeedPage(limit, start // limit + 1) for limit in range(PAGE_ROWS, PAGE_ROWS // 2, -1))
    return max(pages, key=lambda page: page.ends_at)


def unknown(rows: Iterable[Submission], known_ids: Collection[int]) -> list[Submission]:
    """The rows not in our copy, oldest first, each once."""
    fresh = {row.id: row for row in rows if row.id not in known_ids}
    return sorted(fresh.values(), key=lambda row: (row.created_at, row.id))


def advance(cursor: Cursor, rows: Iterable[Submission], now: datetime) -> Cursor:
    """The cursor once these rows are matched.

    Nothing in it is in the future, whatever a row or an earlier clock said: that would hide all news until then.
    """
    newest = max((row.created_at for row in rows), default=cursor.created_at)
    return replace(
        cursor,
        history_until=min(cursor.history_until, now),
        created_at=min(max(cursor.created_at, newest), now),
    )


def read_well(cursor: Cursor, polled_at: datetime) -> Cursor:
    """The cursor once the feed was read without a gap by a poll at `polled_at`."""
    return replace(cursor, last_polled_at=polled_at, reading_since=None, unread_before=None)
