"""Pinball Map's answers about submissions: pure functions of the feed and a query."""

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from multidict import MultiMapping

from dispinmap_sandbox.pacific import pacific_midnight
from dispinmap_sandbox.submissions import Entry

OTHER_TYPES: Final = frozenset(
    {
        "location_metadata",
        "ic_toggle",
        "new_picture",
        "remove_picture",
        "delete_location",
        "suggest_location",
        "contact_us",
    }
)
"""Pinball Map returns these types only on request (API.md)."""
NEWEST = 200
"""Rows without `limit` (API.md)."""
LARGEST_PAGE = 50
DEFAULT_MILES = 30
LARGEST_MILES = 250
EARTH_RADIUS_MILES = 3958.7558

Query = MultiMapping[str]


class GlobalFeed:
    """user_submissions.json. Pages of an unchanged feed come from one filtered list."""

    def __init__(self) -> None:
        self._of: tuple[Sequence[Entry], list[tuple[str, str]]] | None = None
        self._filtered: Sequence[Entry] = ()

    def answer(self, feed: Sequence[Entry], query: Query) -> dict[str, object]:
        """Callers pass the same `feed` object while nothing changes."""
        filters = [(name, value) for name, value in query.items() if name not in ("limit", "page")]
        if self._of is None or self._of[0] is not feed or self._of[1] != filters:
            self._of, self._filtered = (feed, filters), _filtered(feed, query)
        return _rows(self._filtered, query, "No user submissions.")


def at_location(feed: Sequence[Entry], location_id: int, query: Query) -> dict[str, object]:
    """user_submissions/location.json of a location that exists."""
    here = [entry for entry in feed if entry.get("location_id") == location_id]
    return _rows(_filtered(here, query), query, "No user submissions for this location.")


def within_range(feed: Sequence[Entry], query: Query) -> dict[str, object]:
    """user_submissions/list_within_range.json; raises ValueError for a malformed date."""
    near = _near(feed, query)
    day = query.get("min_date_of_submission")
    if day is not None:
        begins = pacific_midnight(date.fromisoformat(day))
        near = [entry for entry in near if entry.created_at >= begins]
    return _rows(_filtered(near, query), query, "No user submissions found within radius.")


def miles(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Haversine distance with the earth radius Pinball Map uses. Degrees in, miles out."""
    here, there = math.radians(latitude), math.radians(other_latitude)
    across = math.radians(other_longitude - longitude)
    half_chord = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
    return 2 * EARTH_RADIUS_MILES * math.asin(math.sqrt(min(1.0, half_chord)))


def whole_number(text: str | None, default: int) -> int:
    """Read a parameter as the server's Ruby does: its leading digits ("12.7" is 12), 0 for other text."""
    if not text:
        return default
    digits = ""
    for letter in text.strip():
        if letter not in "0123456789":
            break
        digits += letter
    return int(digits or 0)


def point(query: Query) -> tuple[float, float] | None:
    """The query's `lat` and `lon` in degrees; None if either is missing or not a number."""
    try:
        return float(query.get("lat", "")), float(query.get("lon", ""))
    except ValueError:
        return None


def _near(feed: Iterable[Entry], query: Query) -> list[Entry]:
    centre = point(query)
    if centre is None:
        return []
    reach = min(LARGEST_MILES, whole_number(query.get("max_distance"), DEFAULT_MILES))
    return [entry for entry in feed if _distance(centre, entry) <= reach]


def _distance(centre: tuple[float, float], entry: Entry) -> float:
    latitude, longitude = entry.get("lat"), entry.get("lon")
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        return miles(*centre, latitude, longitude)
    return math.inf


def _filtered(entries: Iterable[Entry], query: Query) -> list[Entry]:
    types, machines, user = _all(query, "submission_type"), _all(query, "machine_id"), query.get("user_id")
    return [
        entry
        for entry in entries
        if (entry.get("submission_type") in types if types else _shown_by_default(entry))
        and (not machines or str(entry.get("machine_id")) in machines)
        and (not user or str(entry.get("user_id")) == user)
    ]


def _shown_by_default(entry: Entry) -> bool:
    """Everything except `OTHER_TYPES`. An unknown type counts as one that Pinball Map adds later."""
    return entry.get("submission_type") not in OTHER_TYPES


def _all(query: Query, name: str) -> list[str]:
    return [value for key in (f"{name}[]", name) for value in query.getall(key, []) if value]


def _rows(entries: Sequence[Entry], query: Query, nothing: str) -> dict[str, object]:
    """The answer: rows, with `pagy` if the query has a limit. Without rows, the text `nothing`."""
    pagy: dict[str, object] = {}
    if query.get("limit"):
        entries, pagy = _page(entries, query)
    if not entries:
        return {"errors": nothing}
    return {"user_submissions": [entry.payload for entry in entries[:NEWEST]], **pagy}


def _page(entries: Sequence[Entry], query: Query) -> tuple[Sequence[Entry], dict[str, object]]:
    size = min(LARGEST_PAGE, whole_number(query.get("limit"), LARGEST_PAGE) or LARGEST_PAGE)
    page = max(1, whole_number(query.get("page"), 1))
    last = max(1, math.ceil(len(entries) / size))
    begin = (page - 1) * size
    rows = entries[begin : begin + size]
    pagy = {
        "count": len(entries),
        "page": page,
        "pages": last,
        "limit": size,
        "from": begin + 1 if rows else 0,
        "to": begin + len(rows) if rows else 0,
        "in": len(rows),
        "previous": page - 1 if page > 1 else None,
        "next": page + 1 if page < last else None,
        "last": last,
    }
    return rows, {"pagy": pagy}
