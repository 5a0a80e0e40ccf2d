"""A geocoder on a real socket that answers as Open-Meteo does, from a small table of real places."""

import json
from collections.abc import Iterable

from aiohttp import web

from dispinmap.clock import Clock
from dispinmap_sandbox.facts import GeoPlace, fold, load_places
from dispinmap_sandbox.http_server import EmbeddedServer, Handler

FIRST_PLACE_ID = 9_000_001
DEFAULT_COUNT = 10
LARGEST_COUNT = 100
SHORTEST_PREFIX = 3
"""Open-Meteo documents that it finds shorter texts only if they are a whole name."""


class GeocoderServer(EmbeddedServer):
    """`GET /v1/search?name=&count=&format=json`. Tests can pass their own places."""

    prefix = "/v1"

    def __init__(self, clock: Clock, places: Iterable[GeoPlace] | None = None) -> None:
        super().__init__(clock)
        self._places = tuple(load_places() if places is None else places)

    def routes(self) -> dict[str, Handler]:
        return {"search": self._search}

    async def _search(self, request: web.Request) -> web.StreamResponse:
        name = request.query.get("name")
        count = request.query.get("count", str(DEFAULT_COUNT))
        if name is None:
            return _error("Parameter 'name' required.")
        if not count.isdecimal() or not 1 <= int(count) <= LARGEST_COUNT:
            return _error(f"Parameter 'count' must be between 1 and {LARGEST_COUNT}.")
        found = [_row(number, place) for number, place in search(self._places, name)[: int(count)]]
        answer: dict[str, object] = {"results": found} if found else {}
        return web.Response(
            text=json.dumps({**answer, "generationtime_ms": 0.5}, ensure_ascii=False), content_type="application/json"
        )


def search(places: Iterable[GeoPlace], name: str) -> list[tuple[int, GeoPlace]]:
    """Places whose name is or begins with `name`, with their table index: whole names first, then by population."""
    wanted = fold(name)
    ranked = [
        (not _called(place, wanted), -place.population, number, place)
        for number, place in enumerate(places)
        if _called(place, wanted) or _begins(place, wanted)
    ]
    return [(number, place) for _, _, number, place in sorted(ranked, key=lambda row: row[:3])]


def _called(place: GeoPlace, wanted: str) -> bool:
    return wanted in _names(place)


def _begins(place: GeoPlace, wanted: str) -> bool:
    return len(wanted) >= SHORTEST_PREFIX and any(name.startswith(wanted) for name in _names(place))


def _names(place: GeoPlace) -> set[str]:
    return {fold(name) for name in (place.name, *place.aliases)}


def _row(number: int, place: GeoPlace) -> dict[str, object]:
    """One result. As at Open-Meteo, an unknown field has no key."""
    row = {
        "id": FIRST_PLACE_ID + number,
        "name": place.name,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "feature_code": "PPL",
        "country_code": place.country_code,
        "timezone": place.timezone,
        "population": place.population,
        "country": place.country,
        "admin1": place.admin1,
        "admin2": place.admin2,
    }
    return {key: value for key, value in row.items() if value is not None}


def _error(reason: str) -> web.Response:
    return web.json_response({"error": True, "reason": reason}, status=400)
