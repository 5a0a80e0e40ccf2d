"""Asking the geocoder again where cities are that lost their coordinates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from dispinmap.geocoding.models import GeocodingError, Place
from dispinmap.targets.models import Area

NAMED_CHOICES = 5
"""So many candidates of an ambiguous name fit into a sentence."""


class Geocoder(Protocol):
    """`GeocodingClient`, which is not imported here because the database knows no network."""

    async def search(self, text: str) -> tuple[Place, ...]:
        """One for an unambiguous city, several to choose from, none for no hit. Raises GeocodingError."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What the geocoder made of a name: its area, or None; and a sentence for the report."""

    area: Area | None
    sentence: str


async def locate(names: Iterable[str], geocoder: Geocoder) -> Mapping[str, Found]:
    """Each distinct name once. A name that finds nothing, several or a failure has no area."""
    return {name: await _one(name, geocoder) for name in dict.fromkeys(names)}


async def _one(name: str, geocoder: Geocoder) -> Found:
    try:
        return decide(name, await geocoder.search(name))
    except GeocodingError as error:
        return Found(None, f"“{name}” could not be looked up: {error}")


def decide(name: str, places: tuple[Place, ...]) -> Found:
    """Which place is meant, only if there is no doubt (pure)."""
    if not places:
        return Found(None, f"No city is called “{name}”.")
    if len(places) > 1:
        choices = "; ".join(place.label for place in places[:NAMED_CHOICES])
        return Found(None, f"“{name}” could be several cities: {choices}.")
    (place,) = places
    at = Area(place.latitude, place.longitude)
    return Found(at, f"Found again at {at} ({place.label}).")
