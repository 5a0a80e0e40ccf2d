"""Distances on the ground."""

from functools import lru_cache
from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_MILES = 3958.7558
"""The sphere Pinball Map's server measures on, so that both agree on who is inside an area."""


@lru_cache(maxsize=1024)
def miles_between(latitude1: float, longitude1: float, latitude2: float, longitude2: float) -> float:
    """Great-circle distance in miles between two points in degrees (haversine). Many targets share a circle."""
    phi1, phi2 = radians(latitude1), radians(latitude2)
    half_chord = sin((phi2 - phi1) / 2) ** 2 + cos(phi1) * cos(phi2) * sin(radians(longitude2 - longitude1) / 2) ** 2
    return 2 * EARTH_RADIUS_MILES * asin(sqrt(min(1.0, half_chord)))
