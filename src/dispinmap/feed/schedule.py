"""When to ask Pinball Map next."""

from datetime import datetime, timedelta
from typing import Final

LONGEST_INTERVAL: Final = timedelta(minutes=15)
"""One answer of the feed reaches back hours; this is as slow as it gets while anybody watches anything."""

FRESH: Final = timedelta(seconds=10)
"""A look at the feed this young need not be repeated because somebody asks."""


def interval(smallest_poll_rate: timedelta, shortest: timedelta) -> timedelta:
    """The time between two feed requests: the smallest poll rate in use, within bounds."""
    return max(shortest, min(smallest_poll_rate, LONGEST_INTERVAL))


def after_failure(now: datetime, usual: timedelta, failures: int, retry_after: float | None) -> datetime:
    """When to try again after `failures` (1 or more) in a row: later each time, never before the server allows."""
    pause = min(usual * (1 << min(failures - 1, 8)), max(usual, LONGEST_INTERVAL))
    return now + max(pause, timedelta(seconds=retry_after or 0))


def next_poll(last_polled_at: datetime | None, usual: timedelta, now: datetime) -> datetime:
    """When to poll after `last_polled_at`: at once where that lies in the future, as after the clock was put back."""
    return now if last_polled_at is None or last_polled_at > now else last_polled_at + usual


def is_fresh(last_polled_at: datetime | None, now: datetime) -> bool:
    """Whether asking again would be of no use."""
    return last_polled_at is not None and timedelta(0) <= now - last_polled_at < FRESH
