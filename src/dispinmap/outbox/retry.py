"""How long to wait before trying again (pure)."""

from datetime import datetime, timedelta
from typing import Final

from dispinmap.backoff import pause_after

FIRST_RETRY: Final = timedelta(seconds=2)
LONGEST_RETRY: Final = timedelta(minutes=10)
FIRST_PARKING: Final = timedelta(minutes=5)
LONGEST_PARKING: Final = timedelta(days=1)
NONCE_LIFETIME: Final = timedelta(seconds=90)
"""Discord drops a repeated nonce for "a few minutes", without a number, so we rely on much less."""
RESTORE_MARGIN: Final = timedelta(minutes=5)
"""How far Pinball Map's clock, which dates the submissions, may be ahead of ours."""


def message_delay(attempts: int, retry_after: float | None = None) -> timedelta:
    """The pause after `attempts` (1 or more) failed attempts at one message. A server can ask for a day at most."""
    pause = pause_after(attempts, FIRST_RETRY, LONGEST_RETRY)
    # `retry_after` may be "inf" or "nan", which are floats too.
    wanted = retry_after if retry_after is not None and retry_after > 0 else 0.0
    return max(pause, timedelta(seconds=min(wanted, LONGEST_PARKING.total_seconds())))


def parking_delay(attempts: int) -> timedelta:
    """How long a channel stays parked after it refused us `attempts` (1 or more) times in a row."""
    return pause_after(attempts, FIRST_PARKING, LONGEST_PARKING)


def is_in_doubt(attempted_at: datetime | None, now: datetime) -> bool:
    """Whether an unacknowledged attempt may be too old for its nonce to prevent a second post.

    If the attempt is in the future, the clock was set back since and its age is unknown.
    """
    return attempted_at is not None and not timedelta(0) <= now - attempted_at <= NONCE_LIFETIME


def may_be_posted_already(created_at: datetime, restored_at: datetime | None) -> bool:
    """Whether a submission created at `created_at` may have been posted without a trace in the restored database.

    The bot that wrote the lost part of the database had stopped by `restored_at`, so it posted nothing created later.
    """
    return restored_at is not None and created_at <= restored_at + RESTORE_MARGIN
