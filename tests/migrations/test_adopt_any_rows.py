"""Every target is accounted for, with any rows of the original bot's other shapes."""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispinmap.database.adopt.adoption import Adopter
from dispinmap.database.adopt.report import AdoptionReport, Fate, TargetReport
from dispinmap.database.verify import verify
from dispinmap.errors import UserError
from dispinmap.geocoding.models import Place
from dispinmap.targets.models import Area
from tests.fakes.lookups import FakeGeocoder
from tests.migrations import shapes
from tests.migrations.legacy import AUSTIN, rows

Values = dict[str, Any]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
channel_ids = st.sampled_from([11, 12, 99])
names = texts | st.sampled_from(
    ["Austin, Texas, US", "Nowhere", "Coordinates 30.26720, -97.74310 (10mi)", AUSTIN, "1,2,500"]
)
numbers = st.none() | st.integers(-2, 12) | st.sampled_from(["junk", 2**40])
times = st.none() | st.sampled_from(
    ["2025-08-01 09:30:00", "2025-08-01T09:30:00+02:00", "junk", "0001-01-01T00:00+14:00"]
)

NO_COORDINATES = st.fixed_dictionaries(
    {
        "channel_id": channel_ids,
        "target_type": st.sampled_from(["location", "city", "latlong", "volcano"]),
        "target_name": names,
        "location_id": numbers,
        "created_at": times,
    }
)
REDESIGN = st.fixed_dictionaries(
    {
        "channel_id": channel_ids,
        "target_type": st.sampled_from(["location", "geographic", "volcano"]),
        "display_name": names,
        "location_id": numbers,
        "latitude": st.none() | st.floats(-95, 95) | st.just("junk"),
        "longitude": st.none() | st.floats(-190, 190),
        "radius_miles": st.none() | st.integers(-1, 120) | st.just("wide"),
        "created_at": times,
    }
)
EARLY = st.fixed_dictionaries(
    {
        "channel_id": channel_ids,
        "target_type": st.sampled_from(["location", "latlong", "city"]),
        "target_name": names,
        "target_data": st.none() | st.integers(-2, 12).map(str) | texts | st.just(AUSTIN),
        "created_at": times,
    }
)
databases = st.one_of(
    *(
        st.tuples(st.just(shape), st.lists(row, max_size=300))
        for shape, row in (("B", NO_COORDINATES), ("C", REDESIGN), ("D", EARLY))
    )
)


def fill(path: Path, targets: Sequence[Values]) -> None:
    """Put these in place of the shape's examples, past its checks but not past its unique constraints."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("DELETE FROM monitoring_targets")
        for target in targets:
            marks = ", ".join("?" * len(target))
            statement = f"INSERT OR IGNORE INTO monitoring_targets ({', '.join(target)}) VALUES ({marks})"  # noqa: S608 -- names of this file
            connection.execute(statement, list(target.values()))


def table(path: Path) -> dict[int, Values]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return {row["id"]: dict(row) for row in connection.execute("SELECT * FROM monitoring_targets ORDER BY id")}


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(databases)
async def test_every_target_is_the_same_found_merged_or_marked(
    migrated_file: Path, database: tuple[str, list[Values]]
) -> None:
    shape, targets = database
    geocoder = FakeGeocoder()
    geocoder.places = {"austin texas us": (Place("Austin", 30.26715, -97.74306),)}
    with TemporaryDirectory() as folder:
        old, new = Path(folder) / "old.db", Path(folder) / "new.db"
        shutil.copy(migrated_file, new)
        fill(shapes.EVERY[shape](old), targets)
        before = table(old)
        report = await Adopter(geocoder).adopt(old, f"sqlite:///{new}")
        after = table(new)
        assert verify(f"sqlite:///{new}") == []
        assert rows(new, "SELECT COUNT(*) FROM seen_submissions") == [3]
    check_accounts(report, before, after)
    for row in report.targets:
        check_meaning(row, before[row.old_id], after[row.new_id])


def check_accounts(report: AdoptionReport, before: dict[int, Values], after: dict[int, Values]) -> None:
    """Each old row has one line, each new row an oldest origin, and the rest is merged into it."""
    assert [row.old_id for row in report.targets] == list(before)
    assert {row.new_id for row in report.targets} == set(after)
    met: set[int] = set()
    for row in report.targets:
        assert (row.fate is Fate.MERGED) == (row.new_id in met)
        met.add(row.new_id)


def check_meaning(row: TargetReport, old: Values, new: Values) -> None:
    assert new["channel_id"] == old["channel_id"]
    assert (new["poll_rate_minutes"], new["notification_types"]) == (None, None)
    assert ("remove it and add it again" in row.note) == (not watched(new))
    if old["target_type"] == "location" and "target_data" not in old:
        number = old["location_id"]
        assert new["location_id"] == (number if isinstance(number, int) and 0 < number < 2**31 else None)
    if old["target_type"] == "geographic" and (circle := circle_of(old)) is not None:
        assert Area.parse(new["target_name"]).radius == circle.radius
        assert str(circle).rsplit(",", 1)[0] in new["target_name"] or circle.radius_miles is None
    if row.fate is Fate.SAME and new["target_type"] == "city":
        name = new["target_name"] if new["display_name"] is None else new["display_name"]
        assert name == old.get("target_name", old.get("display_name"))


def watched(new: Values) -> bool:
    if new["target_type"] in ("city", "latlong"):
        return area_of(new["target_name"]) is not None
    return new["target_type"] == "location" and new["location_id"] is not None


def area_of(text: str) -> Area | None:
    try:
        return Area.parse(text)
    except UserError:
        return None


def circle_of(old: Values) -> Area | None:
    try:
        return Area(old["latitude"], old["longitude"], old["radius_miles"])
    except (UserError, TypeError):
        return None
