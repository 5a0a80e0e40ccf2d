"""What the founding guide says of the schema is true, by hand in sqlite3."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command

from dispinmap.database.chain import alembic_config
from dispinmap.database.revisions import UNIQUE_LOCATION_REVISION
from tests.migrations.legacy import rows, schema, write

LOCATION = (1377474091149164584, "location", "Austin Pinball Collective", 26454)
CITY = (1377474127648133130, "city", "30.26715,-97.74306")
POINT = (1377474127648133130, "latlong", "30.26715,-97.74306,5")
INSERT_LOCATION = (
    "INSERT INTO monitoring_targets (channel_id, target_type, target_name, location_id) VALUES (?, ?, ?, ?)"
)
INSERT_AREA = "INSERT INTO monitoring_targets (channel_id, target_type, target_name) VALUES (?, ?, ?)"


@pytest.fixture
def path(database_file: Path) -> Path:
    for channel in (LOCATION[0], CITY[0]):
        write(database_file, "INSERT INTO channel_configs (channel_id, guild_id) VALUES (?, 1)", channel)
    return database_file


@pytest.fixture(scope="module")
def documented_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("guide") / "guide.db"
    command.upgrade(alembic_config(f"sqlite:///{path}"), UNIQUE_LOCATION_REVISION)
    return path


def test_the_table_has_the_documented_columns_defaults_and_keys(documented_file: Path) -> None:
    columns = rows(
        documented_file, "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('monitoring_targets')"
    )
    assert columns == [
        ("id", "INTEGER", 1, None, 1),
        ("channel_id", "BIGINT", 1, None, 0),
        ("target_type", "VARCHAR", 1, None, 0),
        ("target_name", "VARCHAR", 1, None, 0),
        ("display_name", "VARCHAR", 0, None, 0),
        ("location_id", "INTEGER", 0, None, 0),
        ("poll_rate_minutes", "INTEGER", 0, "60", 0),
        ("notification_types", "VARCHAR", 0, "'machines'", 0),
        ("last_checked_at", "DATETIME", 0, None, 0),
        ("created_at", "DATETIME", 0, "CURRENT_TIMESTAMP", 0),
    ]
    table = schema(documented_file)["monitoring_targets"]
    assert "CONSTRAINT unique_channel_location UNIQUE (channel_id, target_type, location_id)" in table
    assert "FOREIGN KEY(channel_id) REFERENCES channel_configs (channel_id)" in table
    assert "unique_channel_target" not in table


def test_the_other_tables_are_as_production_had_them(documented_file: Path, legacy_file: Path) -> None:
    for name in ("channel_configs", "seen_submissions"):
        ours, theirs = schema(documented_file)[name], schema(legacy_file)[name]
        assert ours.replace("( ", "(").replace(" )", ")") == theirs.replace("( ", "(").replace(" )", ")")


def test_the_documented_inserts_work_by_hand(path: Path) -> None:
    write(path, INSERT_LOCATION, *LOCATION)
    write(path, INSERT_AREA, *CITY)
    write(path, INSERT_AREA, *POINT)
    found = rows(path, "SELECT target_name, poll_rate_minutes, notification_types FROM monitoring_targets ORDER BY id")
    assert found == [
        ("Austin Pinball Collective", 60, "machines"),
        ("30.26715,-97.74306", 60, "machines"),
        ("30.26715,-97.74306,5", 60, "machines"),
    ]
    assert rows(path, "SELECT COUNT(*) FROM monitoring_targets WHERE created_at IS NOT NULL") == [3]


def test_the_same_location_twice_in_a_channel_is_refused(path: Path) -> None:
    write(path, INSERT_LOCATION, *LOCATION)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        write(path, INSERT_LOCATION, LOCATION[0], "location", "Another name for it", LOCATION[3])


def test_the_same_area_twice_in_a_channel_is_refused_though_its_location_id_is_null(path: Path) -> None:
    write(path, INSERT_AREA, *CITY)
    write(path, INSERT_AREA, CITY[0], "latlong", CITY[2])
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        write(path, INSERT_AREA, *CITY)


def test_equal_areas_of_a_database_without_that_index_are_merged_with_the_wider_settings(
    documented_file: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(documented_file, tmp_path / "guide.db"))
    write(path, "INSERT INTO channel_configs (channel_id, guild_id, poll_rate_minutes) VALUES (1, 1, 30)")
    for settings in ((60, "machines"), (None, "comments"), (5, "machines")):
        write(
            path,
            "INSERT INTO monitoring_targets (channel_id, target_type, target_name, poll_rate_minutes,"
            " notification_types) VALUES (1, 'city', '1,1', ?, ?)",
            *settings,
        )
    command.upgrade(alembic_config(f"sqlite:///{path}"), "head")
    assert rows(path, "SELECT id, poll_rate_minutes, notification_types FROM monitoring_targets") == [(1, 5, "all")]


def test_the_documented_queries_work(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert len(connection.execute("PRAGMA table_info(monitoring_targets)").fetchall()) == 12
        (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name='monitoring_targets'").fetchone()
        (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert sql.startswith("CREATE TABLE")
    assert len(version) == 12
