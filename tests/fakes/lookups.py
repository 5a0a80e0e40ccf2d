"""Pinball Map and the geocoder as a target service sees them: canned answers, and a record of what was asked."""

from collections.abc import Sequence
from datetime import date

from dispinmap.geocoding.client import GeocodingClient
from dispinmap.geocoding.models import GeocodingError, Place
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.errors import PinballMapError
from dispinmap.pinballmap.models import Location, LocationHint, Nothing, Rows, Submission
from dispinmap.targets.naming import fold


class FakePinballMap(PinballMapClient):
    """`failure` is raised by every question while it is set."""

    def __init__(self) -> None:
        self.locations: list[Location] = []
        self.submissions: list[Submission] = []
        self.failure: PinballMapError | None = None
        self.asked: list[str] = []

    def _note(self, question: str) -> None:
        self.asked.append(question)
        if self.failure is not None:
            raise self.failure

    async def submissions_at(self, location_id: int, *, types: Sequence[str] = ()) -> Rows | Nothing:
        self._note(f"submissions at {location_id}")
        rows = [row for row in self._of(types) if row.location_id == location_id]
        return Rows(tuple(rows)) if rows else Nothing("No user submissions for this location.")

    async def submissions_near(
        self,
        latitude: float,
        longitude: float,
        radius_miles: float,
        since: date | None = None,
        *,
        types: Sequence[str] = (),
    ) -> Rows | Nothing:
        self._note(
            f"submissions near {latitude:g},{longitude:g} within {radius_miles:g}"
            + (f" since {since}" if since else "")
        )
        return Rows(tuple(self._of(types)))

    def _of(self, types: Sequence[str]) -> list[Submission]:
        return [row for row in self.submissions if not types or row.type in types]

    async def location(self, location_id: int) -> Location | None:
        self._note(f"location {location_id}")
        return next((location for location in self.locations if location.id == location_id), None)

    async def search_locations(self, name: str) -> tuple[Location, ...]:
        self._note(f"search {name}")
        return tuple(location for location in self.locations if fold(name) in fold(location.name))

    async def autocomplete(self, text: str) -> tuple[LocationHint, ...]:
        self._note(f"autocomplete {text}")
        found = [location for location in self.locations if fold(text) in fold(location.name)]
        return tuple(LocationHint(each.id, each.name, f"{each.name} ({each.city})") for each in found)


class FakeGeocoder(GeocodingClient):
    """Knows `places` by what is typed, without case and punctuation."""

    def __init__(self) -> None:
        self.places: dict[str, tuple[Place, ...]] = {}
        self.failure: GeocodingError | None = None
        self.asked: list[str] = []

    async def search(self, text: str) -> tuple[Place, ...]:
        self.asked.append(text)
        if self.failure is not None:
            raise self.failure
        return self.places.get(fold(text), ())
