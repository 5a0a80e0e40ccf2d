"""When a notification leaves: once it is due and settled (pure). No other module decides that.

A notification is *due* when its channel wants it. A channel gets at most one message per poll rate: after a quiet time
the first notification is due at once, and later ones wait until the poll rate has passed since the last message. A
target with its own poll rate is counted separately.

A notification is *settled* when it can no longer be undone. Only removals can: if the machine comes back within the
settle window, neither the removal nor the return is news. So a removal is settled once the feed was read without a
gap at or after the end of its window.

Both times are stored with the notification (`due_at`, `settles_at`). The sender compares them with the clock and with
the time of the last good poll. Code that changes targets, settings or the clock calls `reconsidered`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from dispinmap.matching.rules import announces, wants
from dispinmap.outbox.models import Notification
from dispinmap.pinballmap.models import Submission, SubmissionType
from dispinmap.targets.models import WatchedTarget


def when_due(watched: WatchedTarget, now: datetime) -> datetime:
    """When a notification that the target gets at `now` is due.

    It never waits longer than the poll rate, even if the clock was set back since the last message.
    """
    if watched.served_at is None:
        return now
    return min(max(now, watched.served_at + watched.poll_rate), now + watched.poll_rate)


def when_settled(submission: Submission, now: datetime, window: timedelta) -> datetime:
    """The time up to which the feed must be read before a submission that came at `now` is settled.

    `window` is the settle window. If Pinball Map's clock puts the submission in the future, it counts as made now.
    """
    created_at = min(submission.created_at, now)
    return created_at + window if submission.type == SubmissionType.REMOVE_MACHINE else created_at


def undone(rows: Iterable[Submission], window: timedelta) -> list[tuple[Submission, Submission]]:
    """Pairs of a removal and the addition that undid it within `window`, in the order of the additions.

    If the window is zero, there are none.
    """
    if not window:
        return []
    removals: dict[tuple[int, int], Submission] = {}
    pairs = []
    for row in sorted(rows, key=lambda row: (row.created_at, row.id)):
        if row.location_id is None or row.machine_id is None:
            continue
        machine_there = row.location_id, row.machine_id
        if row.type == SubmissionType.REMOVE_MACHINE:
            removals[machine_there] = row
        elif row.type == SubmissionType.NEW_LMX:
            removal = removals.pop(machine_there, None)
            if removal is not None and row.created_at - removal.created_at <= window:
                pairs.append((removal, row))
    return pairs


def reconsidered(
    waiting: Iterable[Notification], targets: Sequence[WatchedTarget], now: datetime, window: timedelta
) -> list[Notification]:
    """The waiting notifications of a channel after its targets, their settings or the clock changed.

    `targets` are all targets of the channel. A notification keeps its target if that still wants it. Otherwise it moves
    to the first target that does. If no target wants it, its target becomes None and the caller must cancel it.
    """
    by_id = {watched.target.id: watched for watched in targets}
    return [_reconsidered(each, _wanting(each, by_id, targets), now, window) for each in waiting]


def _wanting(
    notification: Notification, by_id: dict[int, WatchedTarget], targets: Sequence[WatchedTarget]
) -> WatchedTarget | None:
    own = by_id.get(notification.target_id) if notification.target_id is not None else None
    if own is not None and wants(own.kinds, notification.submission.type):
        return own
    return next((watched for watched in targets if announces(watched, notification.submission)), None)


def _reconsidered(
    notification: Notification, watched: WatchedTarget | None, now: datetime, window: timedelta
) -> Notification:
    if watched is None:
        return replace(notification, target_id=None)
    # If the clock was set back, the stored time may be far in the future.
    settles_at = None if notification.settles_at is None else min(notification.settles_at, now + window)
    return replace(
        notification,
        target_id=watched.target.id,
        due_at=when_due(watched, now),
        settles_at=settles_at,
        area=watched.target.area,
    )
