"""Targets and channels as plain values. Only this module parses the text of areas."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Self

from dispinmap.errors import UserError
from dispinmap.geocoding.models import Place
from dispinmap.pinballmap.models import Location
from dispinmap.targets.kinds import DEFAULT_KINDS, Kinds

MIN_RADIUS_MILES = 1.0
MAX_RADIUS_MILES = 100.0
DEFAULT_RADIUS_MILES = 25.0
MIN_POLL_RATE_MINUTES = 1
MAX_POLL_RATE_MINUTES = 7 * 24 * 60
DEFAULT_POLL_RATE_MINUTES = 60
KILOMETRES_PER_MILE = 1.609344


class TargetType(StrEnum):
    LOCATION = "location"
    CITY = "city"
    LATLONG = "latlong"


def checked_poll_rate(minutes: int) -> int:
    """The minutes unchanged. Raises UserError if they are out of range."""
    if not MIN_POLL_RATE_MINUTES <= minutes <= MAX_POLL_RATE_MINUTES:
        raise UserError(
            f"A poll rate of {minutes} minutes is out of range. Choose {MIN_POLL_RATE_MINUTES} to "
            f"{MAX_POLL_RATE_MINUTES} minutes (a week)."
        )
    return minutes


def poll_rate_or_none(stored: object) -> int | None:
    """A stored poll rate in minutes; None (inherit) if it is out of range."""
    if isinstance(stored, int) and MIN_POLL_RATE_MINUTES <= stored <= MAX_POLL_RATE_MINUTES:
        return stored
    return None


@dataclass(frozen=True, slots=True)
class Area:
    """A circle on the map, written "lat,lon" or "lat,lon,radius" in `monitoring_targets.target_name`.

    In degrees and miles. If the text has no radius, the circle has `DEFAULT_RADIUS_MILES`.
    """

    latitude: float
    longitude: float
    radius_miles: float | None = None

    def __post_init__(self) -> None:
        if not -90 <= self.latitude <= 90:
            raise UserError(f"The latitude {self.latitude:g} is not between -90 and 90. Check the coordinates.")
        if not -180 <= self.longitude <= 180:
            raise UserError(f"The longitude {self.longitude:g} is not between -180 and 180. Check the coordinates.")
        if self.radius_miles is not None and not MIN_RADIUS_MILES <= self.radius_miles <= MAX_RADIUS_MILES:
            raise UserError(
                f"A radius of {self.radius_miles:g} miles is out of range. Choose {MIN_RADIUS_MILES:g} to "
                f"{MAX_RADIUS_MILES:g} miles."
            )

    @property
    def radius(self) -> float:
        """Miles, with the default filled in."""
        return DEFAULT_RADIUS_MILES if self.radius_miles is None else self.radius_miles

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "lat,lon" or "lat,lon,radius"; raises UserError for anything else."""
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) not in (2, 3):
            raise UserError("“{}” isn’t an area. Write it as latitude,longitude or latitude,longitude,radius.", text)
        return cls(*numbers)

    def __str__(self) -> str:
        point = f"{decimal(self.latitude)},{decimal(self.longitude)}"
        return point if self.radius_miles is None else f"{point},{decimal(self.radius_miles)}"


def decimal(number: float) -> str:
    """The shortest decimal text with up to six decimals (0.1 m on the ground), never scientific, never "-0"."""
    return f"{round(number, 6) + 0.0:.6f}".rstrip("0").rstrip(".")


@lru_cache(maxsize=1024)
def area_or_none(text: str) -> Area | None:
    """The circle that a stored text means; None if it is not an area. Cached, because many targets share a text."""
    try:
        return Area.parse(text)
    except UserError:
        return None


def _area(target_type: TargetType, target_name: str) -> Area | None:
    return None if target_type is TargetType.LOCATION else area_or_none(target_name)


@dataclass(frozen=True, slots=True)
class ChannelRef:
    """The channel and server of a command."""

    channel_id: int
    guild_id: int


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's settings, with defaults filled in."""

    channel_id: int
    guild_id: int
    poll_rate_minutes: int = DEFAULT_POLL_RATE_MINUTES
    kinds: Kinds = DEFAULT_KINDS
    is_active: bool = True
    served_at: datetime | None = None
    """When the last message left for a target that follows the channel's poll rate."""


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A target that is about to be added. It starts with the channel's settings."""

    type: TargetType
    target_name: str
    display_name: str | None = None
    location_id: int | None = None

    @classmethod
    def location(cls, location: Location) -> Self:
        return cls(TargetType.LOCATION, location.name, location_id=location.id)

    @classmethod
    def city(cls, place: Place, radius_miles: float | None = None) -> Self:
        """Raises UserError if the radius is out of range."""
        area = Area(place.latitude, place.longitude, radius_miles)
        return cls(TargetType.CITY, str(area), display_name=place.label)

    @classmethod
    def point(cls, latitude: float, longitude: float, radius_miles: float | None = None) -> Self:
        """Raises UserError if a number is out of range."""
        return cls(TargetType.LATLONG, str(Area(latitude, longitude, radius_miles)))

    @property
    def label(self) -> str:
        """What people call it."""
        return self.display_name or self.target_name

    @property
    def area(self) -> Area | None:
        """The circle of a city or point; None for a location."""
        return _area(self.type, self.target_name)

    @property
    def stored(self) -> Self:
        """As the database holds it: a point always has a radius, a city only if someone asked for one."""
        if self.type is not TargetType.LATLONG or self.area is None:
            return self
        return replace(self, target_name=str(replace(self.area, radius_miles=self.area.radius)))


@dataclass(frozen=True, slots=True)
class Target:
    """A channel's interest. `None` as poll rate or kinds means "the channel's"."""

    id: int
    channel_id: int
    type: TargetType
    target_name: str
    created_at: datetime
    display_name: str | None = None
    location_id: int | None = None
    poll_rate_minutes: int | None = None
    kinds: Kinds | None = None
    last_checked_at: datetime | None = None
    served_at: datetime | None = None
    """When the last message for this target left. It only counts if the target has its own poll rate."""

    @property
    def label(self) -> str:
        """What people call it."""
        return self.display_name or self.target_name

    @property
    def area(self) -> Area | None:
        """The circle of a city or point; None for a location, and if the text is not an area."""
        return _area(self.type, self.target_name)

    @property
    def problem(self) -> str | None:
        """Why this target cannot be watched and what to do about it; None if it can."""
        if self.type is TargetType.LOCATION and self.location_id is None:
            return f"“{self.label}” has no Pinball Map location id: remove it and add it again."
        if self.type is not TargetType.LOCATION and self.area is None:
            return f"“{self.label}” has no coordinates: remove it and add it again."
        return None


@dataclass(frozen=True, slots=True)
class WatchedTarget:
    """A target together with the channel settings it inherits from."""

    target: Target
    channel: Channel

    @property
    def poll_rate(self) -> timedelta:
        return timedelta(minutes=self.target.poll_rate_minutes or self.channel.poll_rate_minutes)

    @property
    def kinds(self) -> Kinds:
        return self.target.kinds or self.channel.kinds

    @property
    def has_own_poll_rate(self) -> bool:
        """Whether its messages come at its own rate, not together with the channel's."""
        return self.target.poll_rate_minutes is not None

    @property
    def served_at(self) -> datetime | None:
        """When the last message at this target's poll rate left."""
        return self.target.served_at if self.has_own_poll_rate else self.channel.served_at
