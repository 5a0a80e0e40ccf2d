"""Every shape of database that people may bring ends as its table says, and the file they bring is never touched."""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dispinmap.database.adopt.adoption import Adopter
from dispinmap.database.adopt.report import AdoptionReport, Fate, TargetReport
from dispinmap.database.errors import DatabaseError
from dispinmap.database.revisions import LEGACY_REVISION
from dispinmap.database.verify import verify
from dispinmap.geocoding.client import GeocodingClient
from dispinmap.geocoding.models import GeocodingError, Place
from dispinmap.http import open_session
from dispinmap.targets.naming import fold
from dispinmap_sandbox.geocoder_server import GeocoderServer
from tests.fakes.clock import ManualClock
from tests.fakes.lookups import FakeGeocoder
from tests.migrations import legacy, shapes
from tests.migrations.legacy import AUSTIN, rows, write

ROWS = "SELECT channel_id, target_type, target_name, display_name, location_id FROM monitoring_targets ORDER BY id"
SEEN = "SELECT channel_id, submission_id FROM seen_submissions ORDER BY channel_id, submission_id"
SETTINGS = "SELECT poll_rate_minutes, notification_types FROM monitoring_targets ORDER BY id"
TEXAS = Place("Austin", 30.26715, -97.74306, "Texas", "United States", "US")


@pytest.fixture
def geocoder() -> FakeGeocoder:
    geocoder = FakeGeocoder()
    springfields = tuple(Place("Springfield", n, n, state) for n, state in enumerate(("Illinois", "Missouri"), 1))
    places = {"Austin, Texas, US": (TEXAS,), "Austin, TX": (TEXAS,), "Springfield": springfields}
    geocoder.places = {fold(name): found for name, found in places.items()}
    return geocoder


@pytest.fixture
def new(tmp_path: Path, migrated_file: Path) -> Path:
    """The bot's database, at head and empty."""
    folder = tmp_path / "bot"
    folder.mkdir()
    return Path(shutil.copy(migrated_file, folder / "pinball_bot.db"))


async def adopt(file: Path, new: Path, geocoder: FakeGeocoder, *, dry_run: bool = False) -> AdoptionReport:
    return await Adopter(geocoder).adopt(file, f"sqlite:///{new}", dry_run=dry_run)


def fates(report: AdoptionReport) -> list[Fate]:
    return [row.fate for row in report.targets]


def folder_digest(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("shape", shapes.EVERY)
async def test_every_shape_is_adopted_completely_and_its_file_is_not_changed(
    shape: str, tmp_path: Path, new: Path, geocoder: FakeGeocoder
) -> None:
    file = shapes.EVERY[shape](tmp_path / "old.db")
    before = folder_digest(tmp_path)
    originals = rows(file, "SELECT id FROM monitoring_targets ORDER BY id")
    report = await adopt(file, new, geocoder)
    assert folder_digest(tmp_path) == before
    assert verify(f"sqlite:///{new}") == []
    assert [row.old_id for row in report.targets] == originals
    assert {row.new_id for row in report.targets} == set(rows(new, "SELECT id FROM monitoring_targets"))
    assert rows(new, SEEN) == [(11, 1), (11, 2), (98, 1)]
    assert rows(new, "SELECT poll_rate_minutes, notification_types FROM channel_configs WHERE channel_id = 11") == [
        (15, "all")
    ]


@pytest.mark.parametrize("shape", ["A", "A2", "E"])
async def test_production_becomes_what_an_upgrade_in_place_makes_of_it(
    shape: str, tmp_path: Path, new: Path, geocoder: FakeGeocoder
) -> None:
    report = await adopt(shapes.EVERY[shape](tmp_path / "old.db"), new, geocoder)
    assert rows(new, ROWS) == rows(shapes.ours(tmp_path / "upgraded.db"), ROWS)
    assert report.litestream == (shape != "A")
    assert fates(report) == [
        Fate.SAME, Fate.MERGED, Fate.MARKED, Fate.SAME, Fate.MERGED, Fate.MARKED, Fate.SAME, Fate.MARKED, Fate.SAME,
        Fate.SAME,
    ]  # fmt: skip
    assert report.targets[1] == TargetReport(
        old_id=2,
        channel_id=11,
        was="location “The same under another name” (26454)",
        becomes="location “Austin Pinball Collective” (26454)",
        fate=Fate.MERGED,
        new_id=1,
        note="Merged into #1.",
    )


async def test_lost_cities_are_found_again_or_marked_with_what_to_do(
    tmp_path: Path, new: Path, geocoder: FakeGeocoder
) -> None:
    report = await adopt(shapes.no_coordinates(tmp_path / "old.db"), new, geocoder)
    assert rows(new, ROWS) == [
        (11, "location", "Austin Pinball Collective", None, 26454),
        (11, "city", AUSTIN, "Austin, Texas, US", None),
        (11, "city", "Nowhere", "Nowhere", None),
        (11, "city", "Springfield", "Springfield", None),
        (12, "latlong", "30.2672,-97.7431,10", None, None),
        (12, "location", "Of a text that was no number", None, None),
        (99, "location", "Of a channel nobody configured", None, 875),
    ]
    assert set(rows(new, SETTINGS)) == {(None, None)}
    notes = {row.old_id: (row.fate, row.note) for row in report.targets}
    assert notes[2] == (Fate.FOUND, f"Found again at {AUSTIN} (Austin, Texas, United States).")
    assert notes[3] == (
        Fate.MARKED,
        "No city is called “Nowhere”. “Nowhere” has no coordinates: remove it and add it again.",
    )
    assert notes[4][1].startswith(
        "“Springfield” could be several cities: Springfield, Illinois; Springfield, Missouri."
    )
    assert notes[7][0] is Fate.MERGED
    assert geocoder.asked == ["Austin, Texas, US", "Nowhere", "Springfield", "Austin, TX"]


async def test_a_geocoder_that_fails_stops_the_adoption_because_it_may_answer_later(
    tmp_path: Path, new: Path, geocoder: FakeGeocoder
) -> None:
    geocoder.failure = GeocodingError("The geocoder is overloaded (HTTP 429): try again in a few minutes.")
    with pytest.raises(DatabaseError, match=r"“Austin, Texas, US” .* overloaded .* --no-geocoding"):
        await adopt(shapes.no_coordinates(tmp_path / "old.db"), new, geocoder)
    assert geocoder.asked == ["Austin, Texas, US"]
    assert rows(new, "SELECT COUNT(*) FROM monitoring_targets") == [0]


async def test_without_a_geocoder_lost_cities_are_marked(tmp_path: Path, new: Path) -> None:
    report = await Adopter(None).adopt(shapes.no_coordinates(tmp_path / "old.db"), f"sqlite:///{new}")
    assert [row.old_id for row in report.targets if row.fate is Fate.MARKED] == [2, 3, 4, 6, 7]
    assert report.targets[1].note.startswith("“Austin, Texas, US” was not looked up.")


async def test_the_redesign_s_points_and_cities_are_told_apart_by_their_names(
    tmp_path: Path, new: Path, geocoder: FakeGeocoder
) -> None:
    report = await adopt(shapes.redesign(tmp_path / "old.db"), new, geocoder)
    assert rows(new, ROWS) == [
        (11, "location", "Austin Pinball Collective", None, 26454),
        (11, "latlong", "30.2672,-97.7431,10", None, None),
        (11, "city", "30.26715,-97.74306,25", "Austin, Texas, US", None),
        (12, "latlong", "45.52,-122.67,25", None, None),
        (12, "city", "50.93333,6.95", "Köln", None),
    ]
    assert fates(report) == [Fate.SAME] * 5
    assert set(rows(new, SETTINGS)) == {(None, None)}
    assert geocoder.asked == []


async def test_a_database_from_before_sqlalchemy_is_adopted(tmp_path: Path, new: Path, geocoder: FakeGeocoder) -> None:
    report = await adopt(shapes.early(tmp_path / "old.db"), new, geocoder)
    assert rows(new, ROWS) == [
        (11, "location", "Austin Pinball Collective", None, 26454),
        (11, "location", "Typed by hand", "Typed by hand (no number)", None),
        (12, "latlong", "30.2672,-97.7431,10", None, None),
        (11, "city", AUSTIN, "Austin, Texas, US", None),
    ]
    assert fates(report) == [Fate.SAME, Fate.MERGED, Fate.MARKED, Fate.SAME, Fate.SAME]


@pytest.mark.parametrize(
    ("shape", "stamp"), [("A", "5c8e4212f5ed"), ("B", LEGACY_REVISION), ("C", "43d138bd38f5"), ("D", "made-up")]
)
async def test_a_wrong_stamp_does_not_matter(
    shape: str, stamp: str, tmp_path: Path, new: Path, geocoder: FakeGeocoder
) -> None:
    file = shapes.EVERY[shape](tmp_path / "old.db")
    write(file, "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)")
    write(file, "DELETE FROM alembic_version")
    write(file, "INSERT INTO alembic_version VALUES (?)", stamp)
    expected = len(rows(file, "SELECT id FROM monitoring_targets"))
    assert len((await adopt(file, new, geocoder)).targets) == expected


async def test_litestream_s_tables_are_left_out(tmp_path: Path, new: Path, geocoder: FakeGeocoder) -> None:
    report = await adopt(shapes.with_litestream(shapes.early(tmp_path / "old.db")), new, geocoder)
    assert report.litestream
    assert "_litestream_seq" not in legacy.schema(new)


async def test_a_channel_receives_the_same_before_and_after(tmp_path: Path, new: Path, geocoder: FakeGeocoder) -> None:
    await adopt(shapes.no_coordinates(tmp_path / "old.db"), new, geocoder)
    write(
        new, "UPDATE channel_configs SET poll_rate_minutes = 60, notification_types = 'comments' WHERE channel_id = 11"
    )
    report = await adopt(shapes.redesign(tmp_path / "other.db"), new, geocoder)
    assert [(row.fate, row.new_id) for row in report.targets[:2]] == [(Fate.MERGED, 1), (Fate.SAME, 8)]
    found = rows(new, "SELECT id, poll_rate_minutes, notification_types FROM monitoring_targets")
    here = {id_: (rate, kind) for id_, rate, kind in found}
    assert here[1] == (15, "all")  # merged: as often as the more frequent of both, and all that either got
    assert here[2] == (None, None)  # not mentioned by the second database
    assert here[8] == (15, "all")  # added beside a channel that now says otherwise
    assert rows(new, "SELECT poll_rate_minutes FROM channel_configs WHERE channel_id = 11") == [60]


async def test_adopting_twice_adds_nothing(tmp_path: Path, new: Path, geocoder: FakeGeocoder) -> None:
    file = shapes.production(tmp_path / "old.db")
    await adopt(file, new, geocoder)
    before = legacy.rows(new, "SELECT * FROM monitoring_targets"), rows(new, SEEN)
    report = await adopt(file, new, geocoder)
    assert set(fates(report)) == {Fate.MERGED}
    assert report.new_channels == 0
    assert (legacy.rows(new, "SELECT * FROM monitoring_targets"), rows(new, SEEN)) == before


async def test_times_are_kept_and_text_that_is_not_a_time_becomes_none(
    tmp_path: Path, new: Path, geocoder: FakeGeocoder
) -> None:
    await adopt(shapes.no_coordinates(tmp_path / "old.db"), new, geocoder)
    assert rows(new, "SELECT last_checked_at FROM monitoring_targets WHERE id IN (1, 7)") == [
        "2025-08-01 09:30:00.000000",
        None,
    ]
    assert rows(new, "SELECT created_at FROM channel_configs WHERE channel_id IN (11, 12)") == [
        "2025-07-01 10:00:00.000000",
        None,
    ]


async def test_a_dry_run_without_a_database_creates_none(tmp_path: Path, geocoder: FakeGeocoder) -> None:
    file = shapes.redesign(tmp_path / "old.db")
    tried = await adopt(file, tmp_path / "new.db", geocoder, dry_run=True)
    assert (len(tried.targets), tried.new_channels) == (5, 3)
    assert list(folder_digest(tmp_path)) == ["old.db"]


async def test_a_dry_run_reports_the_same_and_writes_nothing(tmp_path: Path, new: Path, geocoder: FakeGeocoder) -> None:
    file = shapes.redesign(tmp_path / "old.db")
    before = folder_digest(new.parent)
    tried = await adopt(file, new, geocoder, dry_run=True)
    assert folder_digest(new.parent) == before
    done = await adopt(file, new, geocoder)
    assert tried.targets == done.targets
    assert (tried.dry_run, done.dry_run) == (True, False)
    before = folder_digest(new.parent)
    tried = await adopt(file, new, geocoder, dry_run=True)
    assert set(fates(tried)) == {Fate.MERGED}
    assert folder_digest(new.parent) == before


async def test_rows_still_in_the_log_are_adopted_and_no_trace_is_left_beside_the_file(
    tmp_path: Path, new: Path, geocoder: FakeGeocoder
) -> None:
    made = shapes.early(tmp_path / "made.db")
    folder = tmp_path / "brought"
    folder.mkdir()
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(
            "INSERT INTO monitoring_targets (channel_id, target_type, target_name, target_data)"
            " VALUES (11, 'location', 'Still in the log', '777')"
        )
        connection.commit()
        for name in ("made.db", "made.db-wal"):
            (folder / name).write_bytes((tmp_path / name).read_bytes())
    before = folder_digest(folder)
    await adopt(folder / "made.db", new, geocoder)
    assert folder_digest(folder) == before
    assert 777 in rows(new, "SELECT location_id FROM monitoring_targets")


async def test_more_rows_than_one_statement_takes_are_adopted(
    tmp_path: Path, new: Path, geocoder: FakeGeocoder
) -> None:
    file = shapes.early(tmp_path / "old.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executemany(
            "INSERT INTO seen_submissions (channel_id, submission_id) VALUES (12, ?)", [(n,) for n in range(1500)]
        )
        connection.executemany(
            "INSERT INTO monitoring_targets (channel_id, target_type, target_name, target_data)"
            " VALUES (12, 'location', ?, ?)",
            [(f"Venue {n}", str(n)) for n in range(1, 1201)],
        )
    report = await adopt(file, new, geocoder)
    assert len(report.targets) == 1205
    assert rows(new, "SELECT COUNT(*) FROM monitoring_targets") == [1204]
    assert rows(new, "SELECT COUNT(*) FROM seen_submissions") == [1503]


async def test_the_real_geocoding_client_finds_lost_cities(tmp_path: Path, new: Path, clock: ManualClock) -> None:
    file = shapes.no_coordinates(tmp_path / "old.db")
    write(file, "DELETE FROM monitoring_targets WHERE target_type = 'city' AND id > 3")
    write(file, "UPDATE monitoring_targets SET target_name = 'Seattle, Washington, US' WHERE id = 2")
    write(file, "UPDATE monitoring_targets SET target_name = 'Portland' WHERE id = 3")
    server = GeocoderServer(clock)
    await server.start()
    try:
        async with open_session() as session:
            client = GeocodingClient(session, server.base_url, clock)
            report = await Adopter(client).adopt(file, f"sqlite:///{new}")
    finally:
        await server.stop()
    assert rows(new, "SELECT target_name FROM monitoring_targets WHERE display_name = 'Seattle, Washington, US'") == [
        "47.60621,-122.33207"
    ]
    assert "could be several cities: Portland, Oregon" in report.targets[2].note
