"""Pinball Map's data, as plain values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class SubmissionType(StrEnum):
    """The submission types that this bot knows. Other types are shown with Pinball Map's own sentence."""

    NEW_LMX = "new_lmx"
    """A machine was added."""
    REMOVE_MACHINE = "remove_machine"
    NEW_CONDITION = "new_condition"
    """Someone commented on a machine."""
    NEW_MSX = "new_msx"
    """Someone posted a high score."""
    CONFIRM_LOCATION = "confirm_location"
    ADD_LOCATION = "add_location"
    DELETE_LOCATION = "delete_location"


ASKED_TYPES: Final = tuple(SubmissionType)
"""The types for a request that names them: those that Pinball Map returns by default, and closed places.

Such a request never returns a type that we do not know.
"""


@dataclass(frozen=True, slots=True)
class Submission:
    """One change that Pinball Map reports. Almost every field can be missing."""

    id: int
    type: str
    created_at: datetime
    location_id: int | None = None
    location_name: str | None = None
    city_name: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    machine_id: int | None = None
    machine_name: str | None = None
    user_name: str | None = None
    comment: str | None = None
    sentence: str | None = None
    """The change in Pinball Map's own words, in English."""
    high_score: int | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A place with pinball machines."""

    id: int
    name: str
    city: str | None = None
    state: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    machine_count: int | None = None


@dataclass(frozen=True, slots=True)
class LocationHint:
    """One line of Pinball Map's autocomplete: `label` is "Name (City, ST)"."""

    id: int
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Rows:
    """An answer with submissions, newest first. `malformed` is the number of rows that were logged and left out."""

    submissions: tuple[Submission, ...]
    malformed: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    """An answer that says, with HTTP 200, that there is nothing. `reason` is the server's text."""

    reason: str
