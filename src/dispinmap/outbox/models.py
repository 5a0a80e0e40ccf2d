"""What the outbox holds, and the states it goes through."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispinmap.pinballmap.models import Submission
from dispinmap.targets.models import Area

UNSAVED = 0
"""The id of a notification that is not in the database yet."""


class NotificationState(StrEnum):
    PENDING = "pending"
    """Promised: it is not settled or not due yet, or it is in a message that Discord has not acknowledged."""
    SENT = "sent"
    CANCELLED = "cancelled"
    """No longer news: the machine came back, or no target wants it any more."""
    REJECTED = "rejected"
    """Discord will never accept its message. This was reported when it happened."""


class MessageState(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Notification:
    """One submission due to one channel because of a target. It leaves once it is due and settled, see `outbox.due`.

    `target_id` is None if the target is gone. `area` is the target's circle if it has one. A notification without
    `settles_at` is older than that column and counts as settled.
    """

    channel_id: int
    target_id: int | None
    submission: Submission
    due_at: datetime
    settles_at: datetime | None = None
    area: Area | None = None
    id: int = UNSAVED
