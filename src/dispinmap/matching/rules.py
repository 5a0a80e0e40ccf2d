"""Whether a target wants a submission."""

from typing import Final

from dispinmap.matching.distance import miles_between
from dispinmap.pinballmap.models import Submission, SubmissionType
from dispinmap.targets.models import NotificationKind, TargetType, WatchedTarget

MACHINES: Final = frozenset({SubmissionType.NEW_LMX, SubmissionType.REMOVE_MACHINE})
COMMENTS: Final = frozenset({SubmissionType.NEW_CONDITION})
_TYPES: Final[dict[NotificationKind, frozenset[SubmissionType]]] = {
    NotificationKind.MACHINES: MACHINES,
    NotificationKind.COMMENTS: COMMENTS,
    NotificationKind.ALL: MACHINES | COMMENTS,
}


def wants(kind: NotificationKind, submission_type: str) -> bool:
    """Whether `kind` covers this type. Scores, confirmed line-ups and types yet unknown are in none of them."""
    return submission_type in _TYPES[kind]


def is_at(watched: WatchedTarget, submission: Submission) -> bool:
    """Whether the submission happened at the target's location or within its area."""
    target = watched.target
    if target.type is TargetType.LOCATION:
        return target.location_id is not None and submission.location_id == target.location_id
    area = target.area
    if area is None or submission.latitude is None or submission.longitude is None:
        return False
    return miles_between(area.latitude, area.longitude, submission.latitude, submission.longitude) <= area.radius


def matches(watched: WatchedTarget, submission: Submission) -> bool:
    """Whether the target wants this submission: place and kind, whatever its age."""
    return wants(watched.kind, submission.type) and is_at(watched, submission)


def announces(watched: WatchedTarget, submission: Submission) -> bool:
    """Whether it is to be posted for this target: what is older than the target is its history."""
    return submission.created_at > watched.target.created_at and matches(watched, submission)
