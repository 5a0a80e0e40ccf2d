"""Looking up cities that lost their coordinates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from dispinmap.database.errors import DatabaseError
from dispinmap.geocoding.models import GeocodingError, Place
from dispinmap.targets.models import Area

NAMED_CHOICES = 5
"""How many places with an ambiguous name a sentence lists."""


class Geocoder(Protocol):
    """What is used of `GeocodingClient`, which is not imported because this package does not use the network."""

    async def search(self, text: str) -> tuple[Place, ...]:
        """One place for an unambiguous name, several to choose from, or none. Raises GeocodingError."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """The result of looking up a name: its area, or None, and a sentence for the report."""

    area: Area | None
    sentence: str


async def locate(names: Iterable[str], geocoder: Geocoder | None) -> Mapping[str, Found]:
    """Look up each distinct name once. A name with no place or several gets no area. Without a geocoder, none does.

    Raises DatabaseError if the geocoder gives no answer: a later try may find all of them.
    """
    return {name: await _one(name, geocoder) for name in dict.fromkeys(names)}


async def _one(name: str, geocoder: Geocoder | None) -> Found:
    if geocoder is None:
        return Found(None, f"“{name}” was not looked up.")
    try:
        return decide(name, await geocoder.search(name))
    except GeocodingError as error:
        raise DatabaseError(
            f"“{name}” has lost its coordinates and cannot be looked up now, so nothing was written. {error} "
            "To leave such cities marked instead, use --no-geocoding."
        ) from error


def decide(name: str, places: tuple[Place, ...]) -> Found:
    """The place that is meant, only if there is no doubt (pure)."""
    if not places:
        return Found(None, f"No city is called “{name}”.")
    if len(places) > 1:
        choices = "; ".join(place.label for place in places[:NAMED_CHOICES])
        return Found(None, f"“{name}” could be several cities: {choices}.")
    (place,) = places
    at = Area(place.latitude, place.longitude)
    return Found(at, f"Found again at {at} ({place.label}).")
