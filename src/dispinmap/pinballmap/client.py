"""Pinball Map over HTTP."""

from collections import Counter
from datetime import date

from dispinmap.pinballmap.models import Location, LocationHint, Nothing, Rows


class PinballMapClient:
    """Asks Pinball Map. Every method raises Unauthorized, Limited, Unavailable or Malformed."""

    requests: Counter[str]
    """Requests sent, by outcome."""
    malformed_rows: int

    async def feed(self, page: int | None = None) -> Rows | Nothing:
        """The newest 200 submissions of the whole world; with `page` (from 1), pages of 50."""
        raise NotImplementedError

    async def submissions_at(self, location_id: int) -> Rows | Nothing:
        """The newest 200 submissions of one location."""
        raise NotImplementedError

    async def submissions_near(
        self, latitude: float, longitude: float, radius_miles: float, since: date | None = None
    ) -> Rows | Nothing:
        """The newest 200 submissions of an area (degrees, miles), from the day `since` on."""
        raise NotImplementedError

    async def location(self, location_id: int) -> Location | None:
        """None where Pinball Map has no such location."""
        raise NotImplementedError

    async def search_locations(self, name: str) -> tuple[Location, ...]:
        """Locations whose name contains `name`."""
        raise NotImplementedError

    async def autocomplete(self, text: str) -> tuple[LocationHint, ...]:
        """What the cheap endpoint suggests for 3 or more letters."""
        raise NotImplementedError
