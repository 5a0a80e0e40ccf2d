"""Whether a target wants a submission (pure)."""

from functools import cache
from typing import Final

from dispinmap.matching.geography import miles_between
from dispinmap.pinballmap.models import Submission, SubmissionType
from dispinmap.targets.kinds import Kinds, NotificationKind
from dispinmap.targets.models import Area, TargetType, WatchedTarget

_TYPES: Final[dict[NotificationKind, frozenset[str]]] = {
    NotificationKind.MACHINES: frozenset({SubmissionType.NEW_LMX, SubmissionType.REMOVE_MACHINE}),
    NotificationKind.COMMENTS: frozenset({SubmissionType.NEW_CONDITION}),
    NotificationKind.SCORES: frozenset({SubmissionType.NEW_MSX}),
    NotificationKind.CONFIRMATIONS: frozenset({SubmissionType.CONFIRM_LOCATION}),
    NotificationKind.PLACES: frozenset({SubmissionType.ADD_LOCATION, SubmissionType.DELETE_LOCATION}),
}


@cache
def covered_types(kinds: Kinds) -> frozenset[str] | None:
    """The submission types that the kinds cover; None for all types, including those that we do not know."""
    if NotificationKind.ALL in kinds:
        return None
    return frozenset(each for kind in kinds for each in _TYPES[kind])


def wants(kinds: Kinds, submission_type: str) -> bool:
    """Whether the kinds cover this type. Only `all` covers a type that we do not know."""
    types = covered_types(kinds)
    return types is None or submission_type in types


def is_at(watched: WatchedTarget, submission: Submission) -> bool:
    """Whether the submission happened at the target's location or within its area."""
    target = watched.target
    if target.type is TargetType.LOCATION:
        return target.location_id is not None and submission.location_id == target.location_id
    return is_within(target.area, submission)


def is_within(area: Area | None, submission: Submission) -> bool:
    """Whether the submission happened within the circle. False if either has no coordinates."""
    if area is None or submission.latitude is None or submission.longitude is None:
        return False
    return miles_between(area.latitude, area.longitude, submission.latitude, submission.longitude) <= area.radius


def matches(watched: WatchedTarget, submission: Submission) -> bool:
    """Whether the target wants a submission of this type at this location, regardless of its age."""
    return wants(watched.kinds, submission.type) and is_at(watched, submission)


def announces(watched: WatchedTarget, submission: Submission) -> bool:
    """Whether to post the submission for this target. Submissions older than the target are history."""
    return submission.created_at > watched.target.created_at and matches(watched, submission)
