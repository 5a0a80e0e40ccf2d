"""How far back the feed has to be read, and which of its rows are new."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dispinmap.pinballmap.models import Submission

OVERLAP: Final = timedelta(minutes=10)
"""Rows can become visible slightly after newer ones; this much of what was read is read again."""
LONGEST_WALK: Final = 200
"""Pages of 50 read back at the most: about a month of the whole world's submissions."""
PATIENT_WALK: Final = 20
"""Pages read back before asking whether single look-ups would be fewer requests."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the feed has been read."""

    history_until: datetime
    """What was created up to here is history: it was there before the bot first looked."""
    created_at: datetime
    """The newest submission read so far, or the start if there was none."""
    last_polled_at: datetime | None = None
    """None until the first answer."""


def read_back_to(cursor: Cursor, oldest_target_at: datetime) -> datetime:
    """Until when the feed must be read: to what is known already, and never past what nobody waits for."""
    return max(cursor.created_at - OVERLAP, cursor.history_until, oldest_target_at)


def reaches(rows: Iterable[Submission], until: datetime) -> bool:
    """Whether these rows go back far enough."""
    return any(row.created_at <= until for row in rows)


def keep_walking(pages: int, newest: datetime, oldest: datetime, until: datetime, lookups: int) -> bool:
    """Whether to read on page by page rather than ask for every location and area on its own.

    `pages` have been read so far, from `newest` down to `oldest`; `lookups` is the number of distinct places.
    """
    if pages < PATIENT_WALK:
        return True
    per_page = (newest - oldest) / pages
    return pages < LONGEST_WALK and (oldest - until) < per_page * lookups


def unknown(rows: Iterable[Submission], known_ids: Collection[int]) -> list[Submission]:
    """The rows not in our copy, oldest first, each once."""
    fresh = {row.id: row for row in rows if row.id not in known_ids}
    return sorted(fresh.values(), key=lambda row: (row.created_at, row.id))


def advance(cursor: Cursor, rows: Iterable[Submission], now: datetime) -> Cursor:
    """The cursor once these rows are stored.

    Nothing in it lies in the future, whatever a row or a clock since put right said: that would hide all until then.
    """
    newest = max((row.created_at for row in rows), default=cursor.created_at)
    return Cursor(min(cursor.history_until, now), min(max(cursor.created_at, newest), now), now)
