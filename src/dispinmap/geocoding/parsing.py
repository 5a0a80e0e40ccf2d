"""Parses Open-Meteo's JSON into candidates (pure). Values of the wrong type count as missing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dispinmap.geocoding.models import GeocodingError, Place


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place, with details that distinguish it from others of the same name."""

    place: Place
    county: str | None = None
    """`admin2`: a county, a department, a Kreis."""
    feature: str | None = None
    """The GeoNames feature code, such as "PPL" for a populated place."""

    @property
    def population(self) -> int:
        return self.place.population or 0


def parse_candidates(body: object) -> tuple[Candidate, ...]:
    """The candidates in the geocoder's order. Without matches the answer has no `results`. Raises GeocodingError."""
    results = body.get("results", []) if isinstance(body, dict) else None
    if not isinstance(results, list):
        raise GeocodingError("The geocoder's answer has no list of places: try again later, or update DisPinMap.")
    candidates = (_candidate(row) for row in results if isinstance(row, dict))
    return tuple(candidate for candidate in candidates if candidate is not None)


def _candidate(row: Mapping[str, Any]) -> Candidate | None:
    name = _text(row.get("name"))
    latitude, longitude = _degrees(row.get("latitude"), 90), _degrees(row.get("longitude"), 180)
    if name is None or latitude is None or longitude is None:
        return None
    code, population = _text(row.get("country_code")), row.get("population")
    place = Place(
        name=name,
        latitude=latitude,
        longitude=longitude,
        region=_text(row.get("admin1")),
        country=_text(row.get("country")),
        country_code=code.upper() if code else None,
        population=population if isinstance(population, int) and population > 0 else None,
    )
    return Candidate(place, county=_text(row.get("admin2")), feature=_text(row.get("feature_code")))


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return value.encode(errors="replace").decode().replace("\0", "").strip() or None


def _degrees(value: object, limit: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= limit and math.isfinite(value) else None
