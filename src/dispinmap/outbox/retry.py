"""How long to wait before trying again."""

from datetime import datetime, timedelta
from typing import Final

FIRST_RETRY: Final = timedelta(seconds=2)
LONGEST_RETRY: Final = timedelta(minutes=10)
FIRST_PARKING: Final = timedelta(minutes=5)
LONGEST_PARKING: Final = timedelta(days=1)
NONCE_LIFETIME: Final = timedelta(seconds=90)
"""Discord drops a repeated nonce for "a few minutes" and says no more; well within that we rely on it."""
RESTORE_MARGIN: Final = timedelta(minutes=5)
"""By how much Pinball Map's clock, which says when a submission was created, may be ahead of ours."""


def message_delay(attempts: int, retry_after: float | None = None) -> timedelta:
    """The pause after `attempts` (1 or more) failed attempts at one message; no server is obeyed for over a day."""
    pause = min(FIRST_RETRY * (1 << min(attempts - 1, 16)), LONGEST_RETRY)
    # "inf" and "nan" are floats too.
    wanted = retry_after if retry_after is not None and retry_after > 0 else 0.0
    return max(pause, timedelta(seconds=min(wanted, LONGEST_PARKING.total_seconds())))


def parking_delay(attempts: int) -> timedelta:
    """How long a channel stays parked after it refused us `attempts` (1 or more) times in a row."""
    return min(FIRST_PARKING * (1 << min(attempts - 1, 16)), LONGEST_PARKING)


def is_in_doubt(attempted_at: datetime | None, now: datetime) -> bool:
    """Whether an unacknowledged attempt may be too old for its nonce to protect a repeat.

    Of one in the future, after the clock was put back, nobody knows the age.
    """
    return attempted_at is not None and not timedelta(0) <= now - attempted_at <= NONCE_LIFETIME


def may_be_forgotten(created_at: datetime, restored_at: datetime | None) -> bool:
    """Whether what was created then may have been posted by the part of the database that a restore did not bring back.

    Whoever wrote that part had stopped by `restored_at`, and posted nothing that was created later.
    """
    return restored_at is not None and created_at <= restored_at + RESTORE_MARGIN
