"""How long to wait before trying again."""

from datetime import datetime, timedelta
from typing import Final

FIRST_RETRY: Final = timedelta(seconds=2)
LONGEST_RETRY: Final = timedelta(minutes=10)
FIRST_PARKING: Final = timedelta(minutes=5)
LONGEST_PARKING: Final = timedelta(days=1)
NONCE_LIFETIME: Final = timedelta(seconds=90)
"""Discord drops a repeated nonce for "a few minutes" and says no more; well within that we rely on it."""


def message_delay(attempts: int, retry_after: float | None = None) -> timedelta:
    """The pause after `attempts` (1 or more) failed attempts at one message."""
    pause = min(FIRST_RETRY * (1 << min(attempts - 1, 16)), LONGEST_RETRY)
    return max(pause, timedelta(seconds=retry_after or 0))


def parking_delay(attempts: int) -> timedelta:
    """How long a channel stays parked after it refused us `attempts` (1 or more) times in a row."""
    return min(FIRST_PARKING * (1 << min(attempts - 1, 16)), LONGEST_PARKING)


def is_in_doubt(attempted_at: datetime | None, now: datetime) -> bool:
    """Whether an unacknowledged attempt is too old for its nonce to protect a repeat."""
    return attempted_at is not None and now - attempted_at > NONCE_LIFETIME
