"""Pinball Map's feed in memory, for tests that live through years of it."""

from collections.abc import Sequence
from datetime import date

from dispinmap.matching.geography import miles_between
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.errors import Unavailable
from dispinmap.pinballmap.models import Nothing, Rows, Submission
from dispinmap_sandbox.pinballmap_feed import OTHER_TYPES

NEWEST = 200


class FakeFeed(PinballMapClient):
    """Holds submissions; while it is `down`, every question fails."""

    def __init__(self) -> None:
        self.submissions: list[Submission] = []
        self.down = False

    async def feed(self, page: int | None = None, *, limit: int = 50, types: Sequence[str] = ()) -> Rows | Nothing:
        rows = self._newest_first(types)
        return _answer(rows[:NEWEST] if page is None else rows[limit * (page - 1) : limit * page])

    async def submissions_at(self, location_id: int, *, types: Sequence[str] = ()) -> Rows | Nothing:
        return _answer([row for row in self._newest_first(types) if row.location_id == location_id][:NEWEST])

    async def submissions_near(
        self,
        latitude: float,
        longitude: float,
        radius_miles: float,
        since: date | None = None,
        *,
        types: Sequence[str] = (),
    ) -> Rows | Nothing:
        near = [
            row
            for row in self._newest_first(types)
            if row.latitude is not None and row.longitude is not None
            if miles_between(latitude, longitude, row.latitude, row.longitude) <= radius_miles
        ]
        return _answer([row for row in near if since is None or row.created_at.date() >= since][:NEWEST])

    def _newest_first(self, types: Sequence[str]) -> list[Submission]:
        if self.down:
            raise Unavailable("Pinball Map does not answer: try again later.")
        rows = [row for row in self.submissions if (row.type in types if types else row.type not in OTHER_TYPES)]
        return sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)


def _answer(rows: list[Submission]) -> Rows | Nothing:
    return Rows(tuple(rows)) if rows else Nothing("No user submissions.")
