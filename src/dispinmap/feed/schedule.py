"""When to ask Pinball Map next (pure)."""

from datetime import datetime, timedelta
from typing import Final

from dispinmap.backoff import pause_after

LONGEST_INTERVAL: Final = timedelta(minutes=15)
"""The longest time between two polls while anything is watched. One answer of the feed reaches back hours."""

FRESH: Final = timedelta(seconds=10)
"""If the feed was read this recently, a request to check does not read it again."""


def interval(smallest_poll_rate: timedelta, shortest: timedelta) -> timedelta:
    """The time between two feed requests: the smallest poll rate in use, within limits."""
    return max(shortest, min(smallest_poll_rate, LONGEST_INTERVAL))


def pause_after_failure(usual: timedelta, failures: int, retry_after: float | None) -> timedelta:
    """How long to wait after `failures` (1 or more) in a row: longer each time, and as long as the server asks."""
    return max(pause_after(failures, usual, max(usual, LONGEST_INTERVAL)), timedelta(seconds=retry_after or 0))


def next_poll(last_polled_at: datetime | None, usual: timedelta, now: datetime) -> datetime:
    """When to poll next: now if `last_polled_at` is in the future, because the clock was set back since."""
    return now if last_polled_at is None or last_polled_at > now else last_polled_at + usual


def is_fresh(last_polled_at: datetime | None, now: datetime) -> bool:
    """Whether the feed was read within the last `FRESH`, so that `/check` need not read it again."""
    return last_polled_at is not None and timedelta(0) <= now - last_polled_at < FRESH
