"""A schema that SQLite describes as that of the models needs no closer look; any other gets one."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dispinmap.database.engine import sync_engine
from dispinmap.database.schema import is_as_modelled
from dispinmap.database.upgrade import upgrade
from tests.migrations import legacy
from tests.migrations.legacy import write


def modelled(path: Path) -> bool:
    engine = sync_engine(f"sqlite:///{path}", keep_journal_mode=True)
    try:
        with engine.connect() as connection:
            return is_as_modelled(connection)
    finally:
        engine.dispose()


def found(path: Path, query: str, *values: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query, values).fetchall()


def rebuilt(path: Path, table: str, old: str, new: str) -> None:
    """The table made again with a different text, its indexes too."""
    ((text,),) = found(path, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", table)
    indexes = found(path, "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ?", table)
    assert old in str(text)
    write(path, f"DROP TABLE {table}")
    write(path, str(text).replace(old, new))
    for (index,) in indexes:
        if index:
            write(path, str(index))


def test_a_new_and_an_upgraded_database_are(database_file: Path, tmp_path: Path) -> None:
    upgraded = legacy.create(tmp_path / "legacy.db")
    upgrade(f"sqlite:///{upgraded}")
    assert modelled(database_file)
    assert modelled(upgraded)


def test_tables_of_litestream_make_no_difference(database_file: Path) -> None:
    write(database_file, "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")
    assert modelled(database_file)


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE channel_parkings",
        "CREATE TABLE notes (id INTEGER)",
        "ALTER TABLE messages DROP COLUMN error",
        "ALTER TABLE messages ADD COLUMN mood VARCHAR",
        "DROP INDEX unique_channel_area",
        "CREATE INDEX more ON messages (state)",
        "CREATE VIEW watched AS SELECT * FROM monitoring_targets",
        "CREATE TRIGGER forgetful AFTER INSERT ON messages BEGIN DELETE FROM messages; END",
    ],
)
def test_an_addition_or_omission_is_a_difference(database_file: Path, change: str) -> None:
    write(database_file, change)
    assert not modelled(database_file)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("submission_id BIGINT NOT NULL", "submission_id BIGINT"),
        ("submission_id BIGINT NOT NULL", "submission_id INTEGER NOT NULL"),
        ("submission_id BIGINT NOT NULL", "submission_id BIGINT NOT NULL CHECK (submission_id > 0)"),
        ("submission_id BIGINT NOT NULL", "submission_id BIGINT NOT NULL DEFAULT 7"),
        ("UNIQUE (channel_id, submission_id)", "UNIQUE (channel_id)"),
        ("REFERENCES channel_configs (channel_id)", "REFERENCES channel_configs (guild_id)"),
    ],
)
def test_another_type_key_default_or_rule_is_a_difference(database_file: Path, old: str, new: str) -> None:
    rebuilt(database_file, "seen_submissions", old, new)
    assert not modelled(database_file)


def test_an_index_of_other_rows_is_a_difference(database_file: Path) -> None:
    ((text,),) = found(database_file, "SELECT sql FROM sqlite_master WHERE name = 'unique_channel_area'")
    write(database_file, "DROP INDEX unique_channel_area")
    write(database_file, str(text).replace("location_id IS NULL", "location_id IS NOT NULL"))
    assert not modelled(database_file)
