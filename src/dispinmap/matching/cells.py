"""A grid over the map, by which a submission finds the circles around it without looking at those far away."""

from collections.abc import Iterable, Iterator
from math import asin, cos, degrees, floor, radians, sin
from typing import Final

from dispinmap.matching.distance import EARTH_RADIUS_MILES
from dispinmap.targets.models import Area

CELL_DEGREES: Final = 1
"""The side of a cell. A circle of the default radius touches about three; `area_cells` holds these numbers, so
another size needs a migration that works them out again."""
_COLUMNS: Final = 360 // CELL_DEGREES
_SOUTH_POLE: Final = -90


def cell_of(latitude: float, longitude: float) -> int:
    """The number of the cell that a point in degrees lies in: row by row, eastwards, from the south pole."""
    return _number(_row(latitude), floor(longitude / CELL_DEGREES))


def cells_around(area: Area) -> Iterator[int]:
    """Every cell that a point within the area can lie in, each once."""
    angle = area.radius / EARTH_RADIUS_MILES
    spread = degrees(angle)
    south, north = area.latitude - spread, area.latitude + spread
    if south <= -90 or north >= 90:
        columns: Iterable[int] = range(_COLUMNS)
    else:
        # The circle's easternmost point is nearer to the pole than its centre.
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
