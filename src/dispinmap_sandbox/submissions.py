"""Submissions as the sandbox's Pinball Map keeps and shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dispinmap.pinballmap.models import SubmissionType
from dispinmap_sandbox.facts import Machine, Venue
from dispinmap_sandbox.pacific import to_pacific


@dataclass(frozen=True, slots=True)
class Person:
    """A person who reports changes."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class SubmissionRow:
    """One submission. `submission` is Pinball Map's sentence. Times are aware."""

    id: int
    submission_type: str
    submission: str
    created_at: datetime
    user: Person
    venue: Venue
    machine: Machine | None = None
    comment: str | None = None
    high_score: int | None = None

    def payload(self) -> dict[str, object]:
        """The row as the API shows it: every field of API.md, in the server's order."""
        when = timestamp(self.created_at)
        return {
            "id": self.id,
            "submission_type": self.submission_type,
            "submission": self.submission,
            "region_id": self.venue.region_id,
            "created_at": when,
            "updated_at": when,
            "user_id": self.user.id,
            "location_id": self.venue.id,
            "machine_id": self.machine.id if self.machine else None,
            "comment": self.comment,
            "user_name": self.user.name,
            "location_name": self.venue.name,
            "machine_name": self.machine.name if self.machine else None,
            "high_score": self.high_score,
            "city_name": self.venue.city,
            "lat": self.venue.latitude,
            "lon": self.venue.longitude,
            "location_operator_id": None,
            "user_operator_id": None,
            "admin_title": None,
            "contributor_rank": None,
            "flag": None,
            "user_deleted": False,
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of the feed: its payload, and when it counts as created. `row` is None for a test's raw data."""

    created_at: datetime
    payload: object
    row: SubmissionRow | None = None

    def get(self, field: str) -> object:
        """A field of the payload. None if it is missing or the payload is not a row."""
        return self.payload.get(field) if isinstance(self.payload, Mapping) else None

    @property
    def order(self) -> tuple[datetime, int]:
        """The feed's sort key: time, then id."""
        number = self.get("id")
        return self.created_at, number if isinstance(number, int) else 0


def timestamp(moment: datetime) -> str:
    """ISO 8601 with milliseconds and Pacific offset, as Pinball Map does: 2025-06-04T09:59:07.476-07:00."""
    return to_pacific(moment).isoformat(timespec="milliseconds")


def sentence(
    kind: SubmissionType, venue: Venue, user: Person, machine: Machine | None, comment: str | None, score: int | None
) -> str:
    """The sentence Pinball Map writes for a submission of this kind."""
    place = f"{venue.name} in {venue.city}"
    name = machine.name if machine else ""
    match kind:
        case SubmissionType.NEW_LMX:
            return f"{name} was added to {place} by {user.name}"
        case SubmissionType.REMOVE_MACHINE:
            return f"{name} was removed from {place} by {user.name}"
        case SubmissionType.NEW_CONDITION:
            return f"{user.name} commented on {name} at {place}. They said: {comment}"
        case SubmissionType.NEW_MSX:
            return f"{user.name} added a high score of {score:,} on {name} at {place}"
        case SubmissionType.CONFIRM_LOCATION:
            return f"{user.name} confirmed the lineup at {place}"
        case SubmissionType.ADD_LOCATION:
            return f"{user.name} added {place}"
        case SubmissionType.DELETE_LOCATION:
            return f"{user.name} deleted {place}"
