"""Distances on the ground, and a grid over the map (pure).

The grid lets a submission find the circles around it without looking at those far away.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import asin, cos, degrees, floor, radians, sin, sqrt
from typing import Final

from dispinmap.targets.models import Area

EARTH_RADIUS_MILES: Final = 3958.7558
"""The sphere that Pinball Map's server measures on, so that both agree on what is inside an area."""
CELL_DEGREES: Final = 1
"""The side of a cell. A circle of the default radius touches about three.

`area_cells` holds cell numbers: another size needs a migration that computes them again.
"""
_COLUMNS: Final = 360 // CELL_DEGREES
_SOUTH_POLE: Final = -90


@lru_cache(maxsize=1024)
def miles_between(latitude1: float, longitude1: float, latitude2: float, longitude2: float) -> float:
    """Great-circle distance in miles between two points in degrees (haversine). Many targets share a circle."""
    phi1, phi2 = radians(latitude1), radians(latitude2)
    half_chord = sin((phi2 - phi1) / 2) ** 2 + cos(phi1) * cos(phi2) * sin(radians(longitude2 - longitude1) / 2) ** 2
    return 2 * EARTH_RADIUS_MILES * asin(sqrt(min(1.0, half_chord)))


def cell_of(latitude: float, longitude: float) -> int:
    """The number of the cell that contains a point in degrees: counted eastwards, row by row from the south pole."""
    return _number(_row(latitude), floor(longitude / CELL_DEGREES))


def cells_around(area: Area) -> Iterator[int]:
    """All cells that the area may touch, each once."""
    angle = area.radius / EARTH_RADIUS_MILES
    spread = degrees(angle)
    south, north = area.latitude - spread, area.latitude + spread
    if south <= -90 or north >= 90:
        columns: Iterable[int] = range(_COLUMNS)
    else:
        # The circle's easternmost point is closer to the pole than its centre, so it spans more degrees of longitude.
        width = degrees(asin(min(1.0, sin(angle) / cos(radians(area.latitude)))))
        first = floor((area.longitude - width) / CELL_DEGREES)
        last = floor((area.longitude + width) / CELL_DEGREES)
        columns = {column % _COLUMNS for column in range(first, last + 1)}
    for row in range(_row(max(south, -90)), _row(min(north, 90)) + 1):
        for column in columns:
            yield _number(row, column)


def _row(latitude: float) -> int:
    return floor((latitude - _SOUTH_POLE) / CELL_DEGREES)


def _number(row: int, column: int) -> int:
    return row * _COLUMNS + column % _COLUMNS
