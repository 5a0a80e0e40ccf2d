"""Converting rows of the original bot's other schemas to rows of ours (pure).

The result fits the revision at which every value has its own column and nothing is merged yet. Later revisions do the
rest, so that there is only one set of rules.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dispinmap.database.adopt.shapes import Shape
from dispinmap.errors import UserError
from dispinmap.targets.models import DEFAULT_RADIUS_MILES, Area, TargetType

Row = Mapping[str, Any]
"""A row as SQLite returns it, by column. A value can have any type, because SQLite does not enforce column types."""

LARGEST_LOCATION_ID = 2**31 - 1
_POINT_NAME = re.compile(r"\s*coordinates\b", re.IGNORECASE)
"""How the redesign called a point: "Coordinates 30.26720, -97.74310 (10mi)"."""
_GEOGRAPHIC = "geographic"


@dataclass(frozen=True, slots=True)
class Draft:
    """A target about to be written. Times are UTC in SQLite's own text, or None."""

    id: int
    channel_id: int
    target_type: str
    target_name: str
    display_name: str | None = None
    location_id: int | None = None
    last_checked_at: str | None = None
    created_at: str | None = None

    @property
    def lost_city(self) -> str | None:
        """The name of a city whose coordinates are gone; None for every other target."""
        return self.target_name if self.target_type == TargetType.CITY and area(self.target_name) is None else None

    def found(self, at: Area) -> "Draft":
        """The city with its coordinates."""
        return replace(self, target_name=str(at))


def draft(row: Row, shape: Shape) -> Draft:
    """`shape` is NO_COORDINATES or REDESIGN."""
    kept = Draft(
        id=row["id"],
        channel_id=row["channel_id"],
        target_type=str(row["target_type"]),
        target_name=str(row.get("target_name") if shape is Shape.NO_COORDINATES else row["display_name"]),
        last_checked_at=time(row.get("last_checked_at")),
        created_at=time(row.get("created_at")),
    )
    if kept.target_type == TargetType.LOCATION:
        return replace(kept, location_id=location_id(row.get("location_id")))
    if shape is Shape.REDESIGN and kept.target_type in (_GEOGRAPHIC, TargetType.CITY, TargetType.LATLONG):
        return _geographic(kept, row)
    if kept.lost_city is not None:
        return replace(kept, display_name=kept.target_name)
    return kept


def _geographic(kept: Draft, row: Row) -> Draft:
    """A city if it has the name of a place, otherwise a point. Without usable coordinates its text is kept."""
    name, circle = kept.target_name, _circle(row)
    if _is_place_name(name):
        target_name = name if circle is None else str(circle)
        return replace(kept, target_type=TargetType.CITY, target_name=target_name, display_name=name)
    if circle is None:
        return replace(kept, target_type=TargetType.LATLONG)
    # A point is stored with its radius, as `/add coordinates` does.
    point = replace(circle, radius_miles=circle.radius_miles or DEFAULT_RADIUS_MILES)
    return replace(kept, target_type=TargetType.LATLONG, target_name=str(point))


def _circle(row: Row) -> Area | None:
    latitude, longitude, radius = row.get("latitude"), row.get("longitude"), row.get("radius_miles")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    try:
        return Area(latitude, longitude, None if radius is None else float(radius))
    except (UserError, ValueError):
        return None


def _is_place_name(name: str) -> bool:
    return not _POINT_NAME.match(name) and any(char.isalpha() for char in name)


def area(text: str) -> Area | None:
    """The circle that the text describes; None for any other text."""
    try:
        return Area.parse(text)
    except UserError:
        return None


def location_id(value: object) -> int | None:
    """Pinball Map's number; None for anything else."""
    return value if isinstance(value, int) and 0 < value <= LARGEST_LOCATION_ID else None


def time(value: object) -> str | None:
    """The time in UTC as our tables write it; None if `value` is not a time. Without an offset it counts as UTC."""
    try:
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return None if moment is None else moment.isoformat(sep=" ", timespec="microseconds")


def truth(value: object) -> int | None:
    """A Boolean as SQLite stores it; None, which counts as the default, for anything else."""
    return value if isinstance(value, int) and value in (0, 1) else None
