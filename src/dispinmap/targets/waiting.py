"""What a change of targets means for notifications that no message carries yet (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispinmap.matching.rules import announces, wants
from dispinmap.pinballmap.models import Submission, SubmissionType
from dispinmap.targets.models import WatchedTarget


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending notification that is in no message."""

    notification_id: int
    target_id: int
    submission: Submission
    due_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HandOver:
    """Who a notification belongs to now; None cancels it."""

    notification_id: int
    target_id: int | None


def without_target(waiting: Iterable[Waiting], others: Sequence[WatchedTarget]) -> list[HandOver]:
    """Each goes to the first of the channel's other targets that wants it too, or is cancelled."""
    return [HandOver(each.notification_id, _heir(each, others)) for each in waiting]


def without_unwanted(waiting: Iterable[Waiting], targets: Sequence[WatchedTarget]) -> list[HandOver]:
    """After a change of kinds: what its target no longer wants goes to another that does, or is cancelled."""
    by_id = {watched.target.id: watched for watched in targets}
    unwanted = [
        each
        for each in waiting
        if each.target_id in by_id and not wants(by_id[each.target_id].kinds, each.submission.type)
    ]
    return without_target(unwanted, targets)


def _heir(waiting: Waiting, targets: Sequence[WatchedTarget]) -> int | None:
    return next((watched.target.id for watched in targets if announces(watched, waiting.submission)), None)


def hastened(
    waiting: Iterable[Waiting], targets: Sequence[WatchedTarget], now: datetime, settle_window: timedelta
) -> dict[int, datetime]:
    """New due times, by notification, after a change of poll rates: never later than before.

    A removal is held for the settle window all the same, because the machine may come back.
    """
    by_id = {watched.target.id: watched for watched in targets}
    earlier: dict[int, datetime] = {}
    for each in waiting:
        watched = by_id.get(each.target_id)
        if watched is None:
            continue
        due_at = max(now, watched.due_at)
        if each.submission.type == SubmissionType.REMOVE_MACHINE:
            due_at = max(due_at, each.created_at + settle_window)
        if due_at < each.due_at:
            earlier[each.notification_id] = due_at
    return earlier
