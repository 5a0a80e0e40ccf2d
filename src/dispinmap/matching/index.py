"""Finds the targets around a submission without looking at those far away."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import asin, cos, degrees, floor, radians, sin

from dispinmap.matching.distance import EARTH_RADIUS_MILES
from dispinmap.matching.rules import announces
from dispinmap.pinballmap.models import Submission
from dispinmap.targets.models import Area, TargetType, WatchedTarget

CELL_DEGREES = 1.0
_COLUMNS = round(360 / CELL_DEGREES)

Cell = tuple[int, int]


class TargetIndex:
    """Targets by location id, and by every map cell that their circle touches."""

    def __init__(self, targets: Iterable[WatchedTarget]) -> None:
        self._by_location: defaultdict[int, list[WatchedTarget]] = defaultdict(list)
        self._by_cell: defaultdict[Cell, list[WatchedTarget]] = defaultdict(list)
        for watched in targets:
            self._insert(watched)

    def _insert(self, watched: WatchedTarget) -> None:
        target = watched.target
        if target.type is TargetType.LOCATION:
            if target.location_id is not None:
                self._by_location[target.location_id].append(watched)
        elif (area := target.area) is not None:
            for cell in cells_around(area):
                self._by_cell[cell].append(watched)

    def candidates(self, submission: Submission) -> list[WatchedTarget]:
        """Every target that may be interested; a superset of those that are."""
        found = list(self._by_location.get(submission.location_id, ())) if submission.location_id is not None else []
        if submission.latitude is not None and submission.longitude is not None:
            found += self._by_cell.get(cell_of(submission.latitude, submission.longitude), ())
        return found

    def announcing(self, submission: Submission) -> list[WatchedTarget]:
        """The targets for which this submission is to be posted."""
        return [watched for watched in self.candidates(submission) if announces(watched, submission)]


def cell_of(latitude: float, longitude: float) -> Cell:
    return floor(latitude / CELL_DEGREES), floor(longitude / CELL_DEGREES) % _COLUMNS


def cells_around(area: Area) -> Iterator[Cell]:
    """Every cell that a point within the area can lie in."""
    angle = area.radius / EARTH_RADIUS_MILES
    spread = degrees(angle)
    south, north = area.latitude - spread, area.latitude + spread
    rows = range(cell_of(max(south, -90), 0)[0], cell_of(min(north, 90), 0)[0] + 1)
    if south <= -90 or north >= 90:
        columns: Iterable[int] = range(_COLUMNS)
    else:
        # The circle's easternmost point lies nearer to the pole than its centre.
        width = degrees(asin(min(1.0, sin(angle) / cos(radians(area.latitude)))))
        first = floor((area.longitude - width) / CELL_DEGREES)
        last = floor((area.longitude + width) / CELL_DEGREES)
        columns = {column % _COLUMNS for column in range(first, last + 1)}
    for row in rows:
        for column in columns:
            yield row, column
