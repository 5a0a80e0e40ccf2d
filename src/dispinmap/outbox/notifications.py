"""What the outbox holds."""

from dataclasses import dataclass
from datetime import datetime

from dispinmap.pinballmap.models import Submission
from dispinmap.targets.models import Area

UNSAVED = 0
"""The id of a notification that the database does not hold yet."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A submission for a channel, because of a target. It leaves once it is due and settled, see `outbox.due`.

    `target_id` is None if the target is gone, and `area` is the circle of a target that has one. A notification without
    `settles_at` was made before that was noted, and is settled.
    """

    channel_id: int
    target_id: int | None
    submission: Submission
    due_at: datetime
    settles_at: datetime | None = None
    area: Area | None = None
    id: int = UNSAVED
