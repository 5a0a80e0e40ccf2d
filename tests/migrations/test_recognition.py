"""Which databases are taken as they are, and which are refused with a sentence."""

from pathlib import Path

import pytest

from dispinmap.database.errors import DatabaseError
from dispinmap.database.revisions import LEGACY_REVISION, ORIGINAL_BASELINE, UNIQUE_LOCATION_REVISION, head
from dispinmap.database.upgrade import upgrade
from dispinmap.database.verify import revision
from tests.migrations.legacy import rows, schema, write


def stamp(path: Path, *revisions: str) -> None:
    write(path, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    for one in revisions:
        write(path, "INSERT INTO alembic_version VALUES (?)", one)


def test_a_missing_file_is_created(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new 100%.db'}"
    upgrade(url)
    assert revision(url) == head()


def test_upgrading_twice_changes_nothing(database_file: Path) -> None:
    before = schema(database_file)
    upgrade(f"sqlite:///{database_file}")
    assert schema(database_file) == before


@pytest.mark.parametrize("stamps", [(), (LEGACY_REVISION,), (ORIGINAL_BASELINE,), (UNIQUE_LOCATION_REVISION,)])
def test_production_s_tables_are_upgraded_with_any_stamp(legacy_file: Path, stamps: tuple[str, ...]) -> None:
    stamp(legacy_file, *stamps)
    upgrade(f"sqlite:///{legacy_file}")
    assert revision(f"sqlite:///{legacy_file}") == head()
    assert len(rows(legacy_file, "SELECT id FROM monitoring_targets")) == 8


def test_the_original_s_tables_of_another_age_are_refused(legacy_file: Path) -> None:
    write(legacy_file, "ALTER TABLE channel_configs DROP COLUMN last_poll_at")
    assert_refused(legacy_file, "not those the original bot had in production")


def test_tables_of_another_program_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    write(path, "CREATE TABLE recipes (id INTEGER)")
    assert_refused(path, r"its tables \(recipes\) are not those")


def test_an_unknown_revision_is_refused(legacy_file: Path) -> None:
    stamp(legacy_file, "ffffffffffff")
    assert_refused(legacy_file, "at revision ffffffffffff, which this version does not know")


def test_two_stamps_are_refused(legacy_file: Path) -> None:
    stamp(legacy_file, LEGACY_REVISION, UNIQUE_LOCATION_REVISION)
    assert_refused(legacy_file, "has several revisions")


def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.db"
    path.write_bytes(b"not a database, not even nearly" * 100)
    with pytest.raises(DatabaseError, match="cannot be read"):
        upgrade(f"sqlite:///{path}")


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"The folder of .* cannot be opened .*check that it exists"):
        upgrade(f"sqlite:///{tmp_path / 'nowhere' / 'new.db'}")


def test_an_upgrade_that_fails_half_way_says_why(legacy_file: Path) -> None:
    write(legacy_file, "CREATE VIEW submissions AS SELECT 1")
    with pytest.raises(DatabaseError, match="submissions"):
        upgrade(f"sqlite:///{legacy_file}")


def assert_refused(path: Path, sentence: str) -> None:
    """Refused, and nothing was changed."""
    before = schema(path)
    with pytest.raises(DatabaseError, match=sentence):
        upgrade(f"sqlite:///{path}")
    assert schema(path) == before
