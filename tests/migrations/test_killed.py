"""`kill -9` at any moment of an upgrade: the next start ends at head with every row."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from alembic import command

from dispinmap.database import copies
from dispinmap.database.chain import alembic_config
from dispinmap.database.errors import DatabaseError
from dispinmap.database.revisions import LEGACY_REVISION, ORIGINAL_BASELINE, head
from dispinmap.database.upgrade import upgrade
from dispinmap.database.verify import revision
from tests.migrations import legacy
from tests.migrations.killing import kill_at_report, kill_at_statement
from tests.migrations.legacy import rows, schema, write

STRIDE = 1 if os.environ.get("EVERY_STATEMENT") else 41
"""`make test-long` kills at every statement; otherwise at every so many, which still meets every kind of revision."""
FEWEST_STATEMENTS = 300
MANY = 200_000
COUNT_SEEN = "SELECT COUNT(*) FROM seen_submissions"

CONTENTS = (
    "SELECT id, channel_id, target_type, target_name, display_name, location_id FROM monitoring_targets ORDER BY id",
    "SELECT channel_id, guild_id, poll_rate_minutes, notification_types, is_active FROM channel_configs ORDER BY 1",
    "SELECT channel_id, submission_id FROM seen_submissions ORDER BY 1, 2",
)


def production(path: Path) -> Path:
    return legacy.create(path)


def with_the_original_s_stamp(path: Path) -> Path:
    legacy.create(path)
    write(path, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    write(path, "INSERT INTO alembic_version VALUES (?)", ORIGINAL_BASELINE)
    return path


def half_way(path: Path) -> Path:
    legacy.create(path)
    config = alembic_config(f"sqlite:///{path}")
    command.stamp(config, LEGACY_REVISION)
    command.upgrade(config, "79fe16949fc9")
    return path


def no_database(path: Path) -> Path:
    return path


SHAPES = (production, with_the_original_s_stamp, half_way, no_database)


@pytest.mark.parametrize("shape", SHAPES)
def test_killed_at_any_statement_the_next_start_ends_at_head_with_all_rows(
    shape: Callable[[Path], Path], tmp_path: Path
) -> None:
    original = shape(tmp_path / "original.db")
    wanted = copied(original, tmp_path / "wanted" / "bot.db")
    upgrade(f"sqlite:///{wanted}")
    met: set[str] = set()
    for number in count(1, STRIDE):
        path = copied(original, tmp_path / str(number) / "bot.db")
        if not kill_at_statement(path, number):
            break
        if (state := everything(path)) not in met:
            met.add(state)
            assert_next_start_is_good(path, wanted)
        shutil.rmtree(path.parent)
    assert number > FEWEST_STATEMENTS


def copied(original: Path, to: Path) -> Path:
    """In a folder of its own."""
    to.parent.mkdir()
    if original.exists():
        shutil.copy(original, to)
    return to


def everything(path: Path) -> str:
    """All that the next start finds: the database as SQLite recovers it, and the files beside it."""
    with closing(sqlite3.connect(path)) as connection:
        (mark,) = connection.execute("PRAGMA user_version").fetchone()
        dump = "\n".join(connection.iterdump())
    return f"{dump} {mark} {sorted(each.name for each in path.parent.iterdir())}"


def assert_next_start_is_good(path: Path, wanted: Path) -> None:
    upgrade(f"sqlite:///{path}")
    assert revision(f"sqlite:///{path}") == head()
    assert schema(path) == schema(wanted)
    assert [rows(path, sql) for sql in CONTENTS] == [rows(wanted, sql) for sql in CONTENTS]
    assert rows(path, "PRAGMA user_version") == [0]
    assert not list(path.parent.glob("*.part*"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So large that copying it takes several steps."""
    path = legacy.create(tmp_path_factory.mktemp("large") / "large.db")
    seen = [(number,) for number in range(10, 10 + MANY)]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO seen_submissions (channel_id, submission_id) VALUES (11, ?)", seen)
    return path


def test_killed_while_it_copies_the_next_start_copies_again(large: Path, tmp_path: Path) -> None:
    path = copied(large, tmp_path / "killed" / "bot.db")
    copy = copies.copy_of(path, LEGACY_REVISION)
    assert kill_at_report(path, lambda progress: progress.step == "copy")
    assert not copy.exists()
    upgrade(f"sqlite:///{path}")
    assert rows(path, COUNT_SEEN) == rows(copy, COUNT_SEEN) == [MANY + 3]
    assert {each.name for each in path.parent.iterdir()} == {path.name, copy.name}


def test_killed_while_the_copy_is_put_back_the_next_start_puts_it_back(large: Path, tmp_path: Path) -> None:
    path = copied(large, tmp_path / "killed" / "bot.db")
    write(path, "CREATE INDEX not_ours ON channel_configs (guild_id)")
    before = sorted(schema(path).items())
    assert kill_at_report(
        path, lambda progress: progress.step == "put the copy back" and progress.done < progress.total
    )
    assert revision(f"sqlite:///{path}") == head()
    with pytest.raises(DatabaseError, match=r"not_ours should not be there.*is as it was before"):
        upgrade(f"sqlite:///{path}")
    assert sorted(schema(path).items()) == before
    assert rows(path, COUNT_SEEN) == [MANY + 3]
    write(path, "DROP INDEX not_ours")
    upgrade(f"sqlite:///{path}")
    assert rows(path, COUNT_SEEN) == [MANY + 3]
