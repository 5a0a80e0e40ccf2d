"""Inspecting a database, and comparing a copy with the lease and the live database."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.backup.freshness import BOT_TABLES, MAX_LAG, ROWS_UNDER_WAY, compare, lag, staleness
from dispinmap.backup.inspection import Inspection, inspect_file
from dispinmap.backup.models import Heartbeat, LeaseRecord
from dispinmap.backup.place import database_file as database_file_of
from dispinmap.database.engine import Database
from dispinmap.database.queries import heartbeat
from dispinmap.database.revisions import LEGACY_REVISION, head
from dispinmap.database.upgrade import upgrade
from dispinmap.settings import BackupSettings
from tests.migrations import legacy

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def beside(file: Path) -> list[str]:
    return sorted(each.name for each in file.parent.iterdir())


LEASE = LeaseRecord("us", "here", NOON, 60, released=False, writer="a", heartbeat_at=NOON, writer_renewed_at=NOON)


def copy_at(beat_at: datetime | None = NOON, /, **rows: int) -> Inspection:
    return Inspection(head(), rows, Heartbeat(beat_at, "a", None) if beat_at else None)


def test_a_good_copy_has_its_revision_its_rows_and_no_problem(database_file: Path) -> None:
    change(database_file, "INSERT INTO channel_configs (channel_id, guild_id) VALUES (1, 2)")
    copy = inspect_file(database_file)
    assert (copy.revision, copy.problems, copy.heartbeat) == (head(), (), None)
    assert copy.rows["channel_configs"] == 1
    assert "alembic_version" not in copy.rows


def test_looking_at_a_file_leaves_it_and_its_folder_as_they_are(database_file: Path) -> None:
    before = database_file.read_bytes()
    inspect_file(database_file)
    assert (beside(database_file), database_file.read_bytes()) == ([database_file.name], before)


async def test_a_database_in_use_is_seen_with_what_its_wal_holds(database: Database, database_file: Path) -> None:
    async with database.write() as session:
        await heartbeat.beat(session, NOON, "a")
    async with database.write() as session:
        await heartbeat.beat(session, NOON + timedelta(microseconds=1), "b")
    assert inspect_file(database_file).heartbeat == Heartbeat(NOON + timedelta(microseconds=1), "b", "a")


async def test_a_database_in_use_is_seen_through_a_link_too(
    database: Database, database_file: Path, tmp_path: Path
) -> None:
    async with database.write() as session:
        await heartbeat.beat(session, NOON, "a")
    link = tmp_path / "link to it.db"
    link.symlink_to(database_file)
    assert inspect_file(link).heartbeat == Heartbeat(NOON, "a", None)
    assert database_file_of(BackupSettings(litestream_path=str(link))) == database_file


async def test_a_mark_of_a_restore_alone_is_no_heartbeat(database: Database, database_file: Path) -> None:
    async with database.write() as session:
        await heartbeat.mark_restored(session, NOON)
    assert inspect_file(database_file).heartbeat is None


def test_a_copy_of_the_original_bot_is_good_in_spite_of_its_orphans(tmp_path: Path) -> None:
    file = legacy.create(tmp_path / "legacy.db")
    copy = inspect_file(file)
    assert (copy.revision, copy.problems) == (LEGACY_REVISION, ())


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["UPDATE alembic_version SET version_num = 'ffffffffffff'"], "revision ffffffffffff, which this version"),
        (["INSERT INTO alembic_version VALUES ('5c8e4212f5ed')"], "several revisions"),
        (["DROP INDEX unique_channel_area"], "unique_channel_area is missing"),
        (
            ["INSERT INTO seen_submissions (channel_id, submission_id) VALUES (5, 6)"],
            "seen_submissions refers to rows of channel_configs",
        ),
    ],
)
def test_a_copy_that_this_version_cannot_use_says_why(database_file: Path, statements: list[str], problem: str) -> None:
    change(database_file, *statements)
    (found,) = inspect_file(database_file).problems
    assert problem in found


def test_an_empty_database_is_no_good_copy(tmp_path: Path) -> None:
    file = tmp_path / "empty.db"
    change(file, "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")
    assert inspect_file(file).problems == ("The database has no tables.",)


def test_a_damaged_index_is_found_unless_integrity_is_not_asked_for(database_file: Path) -> None:
    change(
        database_file,
        "INSERT INTO channel_configs (channel_id, guild_id) VALUES (1, 2)",
        "INSERT INTO seen_submissions (channel_id, submission_id) VALUES (1, 6)",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET rootpage ="
        " (SELECT rootpage FROM sqlite_master WHERE name = 'ix_messages_state_channel')"
        " WHERE name = 'sqlite_autoindex_seen_submissions_1'",
    )
    (first, *_) = inspect_file(database_file).problems
    assert first.startswith("The file is damaged: ")
    assert not inspect_file(database_file, integrity=False).problems


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_database_is_a_problem_and_no_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "odd.db"
    file.write_bytes(content)
    (problem,) = inspect_file(file).problems
    assert "cannot be read as a database" in problem


def test_a_torn_file_is_a_problem_and_no_error(database_file: Path) -> None:
    content = database_file.read_bytes()
    database_file.write_bytes(content[: len(content) // 2])
    assert inspect_file(database_file).problems


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "gone.db"
    assert inspect_file(file).problems == (f"There is no file at {file}.",)


def test_a_name_with_odd_characters_is_read(database_file: Path) -> None:
    odd = Path(shutil.copy(database_file, database_file.with_name("50% of #1? .db")))
    assert inspect_file(odd).problems == ()


@pytest.mark.parametrize("behind", [-1, 0, 1])
def test_a_copy_is_stale_once_it_is_older_than_what_the_replica_held(behind: int) -> None:
    sentence = staleness(copy_at(NOON - timedelta(microseconds=behind)), LEASE)
    assert (sentence is not None) == (behind > 0)


def test_a_copy_without_a_heartbeat_is_stale_where_one_was_replicated() -> None:
    assert "no heartbeat" in (staleness(copy_at(None), LEASE) or "")
    assert staleness(copy_at(None), replace(LEASE, heartbeat_at=None)) is None
    assert staleness(copy_at(None), None) is None


def test_a_copy_from_a_fast_clock_is_not_the_newest() -> None:
    ahead = Inspection(head(), {}, Heartbeat(NOON + timedelta(days=68), "an earlier run", None))
    assert "a clock was ahead" in (staleness(ahead, LEASE) or "")
    assert "a clock was ahead" in (lag(ahead, copy_at(NOON)) or "")
    own = replace(ahead, heartbeat=Heartbeat(NOON + timedelta(seconds=30), "a", None))
    assert staleness(own, LEASE) is lag(own, copy_at(NOON)) is None


def test_a_copy_may_be_a_little_behind_the_live_database() -> None:
    live = copy_at(NOON)
    assert lag(copy_at(NOON - MAX_LAG), live) is None
    assert lag(copy_at(NOON - MAX_LAG - timedelta(seconds=1)), live) == (
        "The copy is 121 seconds behind the live database."
    )
    assert lag(copy_at(None), live)
    assert lag(copy_at(None), copy_at(None)) is None


@given(st.dictionaries(st.sampled_from([*sorted(BOT_TABLES), "monitoring_targets"]), st.integers(0, 10**6)))
def test_a_copy_with_the_same_rows_is_a_copy(rows: dict[str, int]) -> None:
    assert compare(Inspection(head(), rows), Inspection(head(), rows)) == []


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_rows_that_people_made_must_be_between_both_looks(found: int, before: int, after: int) -> None:
    problems = compare(
        copy_at(monitoring_targets=found), copy_at(monitoring_targets=before), copy_at(monitoring_targets=after)
    )
    assert bool(problems) == (not min(before, after) <= found <= max(before, after))


def test_rows_that_the_bot_writes_may_differ_by_what_is_under_way() -> None:
    live = copy_at(submissions=5000)
    behind = copy_at(submissions=5000 - ROWS_UNDER_WAY)
    assert compare(behind, live, live) == []
    assert compare(copy_at(submissions=4999 - ROWS_UNDER_WAY), live, live) == [
        "submissions has 2999 rows in the copy and 5000 in the live database."
    ]
    assert compare(behind, live), "a database at rest has nothing under way"


def test_a_table_that_the_copy_lacks_is_told() -> None:
    assert compare(copy_at(), copy_at(monitoring_targets=1))


def test_copies_of_different_revisions_are_not_compared_any_further() -> None:
    other = replace(copy_at(submissions=1), revision=LEGACY_REVISION)
    assert compare(other, copy_at()) == [f"The copy is at revision {LEGACY_REVISION}, the live database at {head()}."]


def test_a_database_that_was_upgraded_is_recognised_as_at_head(tmp_path: Path) -> None:
    file = legacy.create(tmp_path / "legacy.db")
    upgrade(f"sqlite:///{file}")
    assert inspect_file(file).revision == head()
