"""Which channel gets which submission, and for which target (pure)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from dispinmap.matching.rules import announces
from dispinmap.outbox.due import when_due, when_settled
from dispinmap.outbox.models import Notification
from dispinmap.pinballmap.models import Submission
from dispinmap.targets.models import WatchedTarget


def notifications_for(
    watched: WatchedTarget, rows: Iterable[Submission], now: datetime, window: timedelta
) -> list[Notification]:
    """A notification for each row that this target announces. `window` is the settle window."""
    wanted = [row for row in rows if announces(watched, row)]
    if not wanted:
        return []
    target, due_at, area = watched.target, when_due(watched, now), watched.target.area
    return [
        Notification(target.channel_id, target.id, row, due_at, when_settled(row, now, window), area) for row in wanted
    ]


def one_per_channel(found: Iterable[Notification]) -> list[Notification]:
    """For each channel and submission, only the notification that is due first."""
    first: dict[tuple[int, int], Notification] = {}
    for each in found:
        known = first.setdefault((each.channel_id, each.submission.id), each)
        if (each.due_at, each.target_id or 0) < (known.due_at, known.target_id or 0):
            first[each.channel_id, each.submission.id] = each
    return list(first.values())
