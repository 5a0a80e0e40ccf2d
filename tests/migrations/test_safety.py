"""An upgrade leaves a copy behind, and puts it back if anything is wrong."""

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dispinmap.database import copies
from dispinmap.database.errors import DatabaseError
from dispinmap.database.migrations.accounting import unaccounted
from dispinmap.database.progress import Progress, logged, silent
from dispinmap.database.revisions import LEGACY_REVISION, head
from dispinmap.database.safety import safety_net
from dispinmap.database.upgrade import downgrade, upgrade
from dispinmap.database.verify import revision, verify
from tests.migrations.legacy import TARGETS, create, rows, schema, write

COUNT_TARGETS = "SELECT COUNT(*) FROM monitoring_targets"


def files_beside(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir() if each != path)


def test_the_copy_holds_the_database_as_it_was(legacy_file: Path) -> None:
    before = schema(legacy_file)
    upgrade(f"sqlite:///{legacy_file}")
    assert files_beside(legacy_file) == [f"legacy.db.before-{LEGACY_REVISION}"]
    copy = copies.copy_of(legacy_file, LEGACY_REVISION)
    assert schema(copy) == before
    assert rows(copy, COUNT_TARGETS) == [len(TARGETS)]


def test_the_copy_holds_rows_that_were_only_in_the_log(legacy_file: Path) -> None:
    with closing(sqlite3.connect(legacy_file)) as running:
        running.execute("PRAGMA journal_mode = WAL")
        running.execute("INSERT INTO seen_submissions (channel_id, submission_id) VALUES (12, 5)")
        running.commit()
        upgrade(f"sqlite:///{legacy_file}")
    copy = copies.copy_of(legacy_file, LEGACY_REVISION)
    assert rows(copy, "SELECT submission_id FROM seen_submissions WHERE channel_id = 12") == [5]


def test_the_copy_has_the_permissions_of_the_database(legacy_file: Path) -> None:
    legacy_file.chmod(0o600)
    upgrade(f"sqlite:///{legacy_file}")
    assert copies.copy_of(legacy_file, LEGACY_REVISION).stat().st_mode & 0o777 == 0o600


def test_a_new_database_and_one_at_head_are_not_copied(tmp_path: Path, database_file: Path) -> None:
    upgrade(f"sqlite:///{database_file}")
    assert files_beside(database_file) == []
    folder = tmp_path / "new"
    folder.mkdir()
    upgrade(f"sqlite:///{folder / 'bot.db'}")
    assert files_beside(folder / "bot.db") == []


def test_the_newest_three_copies_and_all_other_files_are_kept(legacy_file: Path) -> None:
    for age, name in enumerate(("aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"), 1):
        os.utime(create(copies.copy_of(legacy_file, name)), (age, age))
    other = create(legacy_file.with_name("other.db.before-aaaaaaaaaaaa"))
    upgrade(f"sqlite:///{legacy_file}")
    kept = [copies.copy_of(legacy_file, name).name for name in (LEGACY_REVISION, "bbbbbbbbbbbb", "cccccccccccc")]
    assert files_beside(legacy_file) == sorted([*kept, other.name])


def test_a_schema_that_differs_after_an_upgrade_brings_the_copy_back(legacy_file: Path) -> None:
    write(legacy_file, "CREATE INDEX not_ours ON channel_configs (guild_id)")
    before, targets = sorted(schema(legacy_file)), rows(legacy_file, "SELECT * FROM monitoring_targets")
    with pytest.raises(DatabaseError, match=r"index not_ours should not be there\. The database is as it was"):
        upgrade(f"sqlite:///{legacy_file}")
    assert sorted(schema(legacy_file)) == before
    assert rows(legacy_file, "SELECT * FROM monitoring_targets") == targets
    assert rows(legacy_file, "PRAGMA user_version") == [0]


def test_a_copy_of_an_attempt_that_changed_nothing_is_not_put_back_later(legacy_file: Path) -> None:
    stale = copies.copy_of(legacy_file, LEGACY_REVISION)
    copies.copy_database(legacy_file, stale, silent)
    write(legacy_file, f"PRAGMA user_version = {copies.mark_of(LEGACY_REVISION)}")
    write(legacy_file, "INSERT INTO seen_submissions (channel_id, submission_id) VALUES (12, 5)")
    write(legacy_file, "CREATE INDEX not_ours ON channel_configs (guild_id)")
    with pytest.raises(DatabaseError, match="is as it was before"):
        upgrade(f"sqlite:///{legacy_file}")
    assert rows(legacy_file, "SELECT submission_id FROM seen_submissions WHERE channel_id = 12") == [5]


def test_a_revision_that_fails_brings_the_copy_back(legacy_file: Path) -> None:
    write(legacy_file, "CREATE VIEW submissions AS SELECT 1")
    before = schema(legacy_file)
    with pytest.raises(DatabaseError, match=r"submissions.*is as it was before"):
        upgrade(f"sqlite:///{legacy_file}")
    assert schema(legacy_file) == before


def test_a_revision_that_loses_rows_is_undone(legacy_file: Path) -> None:
    write(
        legacy_file,
        "CREATE TRIGGER thief AFTER INSERT ON channel_configs"
        " BEGIN DELETE FROM seen_submissions WHERE channel_id = 11; END",
    )
    sentence = r"was undone: seen_submissions had 3 rows, 0 were merged, and 1 are left"
    with pytest.raises(DatabaseError, match=sentence):
        upgrade(f"sqlite:///{legacy_file}")
    assert rows(legacy_file, "SELECT COUNT(*) FROM seen_submissions") == [3]
    assert "alembic_version" not in schema(legacy_file)


def test_rows_may_disappear_only_if_they_were_merged() -> None:
    before = {"targets": 10, "channels": 3, "dropped": 4}
    assert unaccounted(before, {"targets": 8, "channels": 5}, {"targets": 2}) == []
    assert unaccounted(before, {"targets": 7, "channels": 3}, {"targets": 2}) == [
        "targets had 10 rows, 2 were merged, and 7 are left."
    ]


def test_the_log_counts_what_was_merged(legacy_file: Path) -> None:
    with capture_logs() as logs:
        upgrade(f"sqlite:///{legacy_file}")
    merged = [log["monitoring_targets"] for log in logs if log["event"] == "rows_merged"]
    assert merged == [{"before": 10, "merged": 1}, {"before": 9, "merged": 1}]


def test_every_step_reports_how_far_it_has_come(legacy_file: Path) -> None:
    reports: list[Progress] = []
    upgrade(f"sqlite:///{legacy_file}", progress=reports.append)
    assert list(dict.fromkeys(each.step for each in reports)) == ["copy", "upgrade", "verify"]
    assert all(0 <= each.done <= each.total for each in reports)
    for step in ("copy", "upgrade", "verify"):
        last = [each for each in reports if each.step == step][-1]
        assert last.done == last.total


def test_the_bot_logs_the_end_of_each_step(legacy_file: Path) -> None:
    with capture_logs() as logs:
        upgrade(f"sqlite:///{legacy_file}", progress=logged)
    told = [log for log in logs if log["event"] == "database_step" and log["log_level"] == "info"]
    assert [log["step"] for log in told] == ["copy", "upgrade", "verify"]


def test_a_newer_database_is_refused_untouched(database_file: Path) -> None:
    write(database_file, "UPDATE alembic_version SET version_num = 'ffffffffffff'")
    write(database_file, "PRAGMA journal_mode = DELETE")
    before = database_file.read_bytes()
    with pytest.raises(DatabaseError, match="made by a newer version"):
        upgrade(f"sqlite:///{database_file}")
    assert database_file.read_bytes() == before
    assert files_beside(database_file) == []


def test_a_damaged_database_is_refused_before_anything_is_changed(legacy_file: Path) -> None:
    (page,) = rows(legacy_file, "SELECT rootpage FROM sqlite_master WHERE name = 'monitoring_targets'")
    content = bytearray(legacy_file.read_bytes())
    content[4096 * (page - 1)] = 0xFF
    legacy_file.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"is damaged .*It was not changed"):
        upgrade(f"sqlite:///{legacy_file}")
    assert legacy_file.read_bytes() == content
    assert files_beside(legacy_file) == []


def test_a_locked_database_is_left_as_it_is(legacy_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispinmap.database.copies.BUSY_TIMEOUT_MS", 1)
    before = schema(legacy_file)
    with closing(sqlite3.connect(legacy_file)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="no other program has locked it"):
            upgrade(f"sqlite:///{legacy_file}")
    assert schema(legacy_file) == before


def test_a_downgrade_is_guarded_too(database_file: Path) -> None:
    downgrade(f"sqlite:///{database_file}", "-1")
    assert files_beside(database_file) == [f"{database_file.name}.before-{head()}"]
    assert revision(f"sqlite:///{database_file}") != head()
    with pytest.raises(DatabaseError, match="nowhere"):
        downgrade(f"sqlite:///{database_file}", "nowhere")
    upgrade(f"sqlite:///{database_file}")
    assert verify(f"sqlite:///{database_file}") == []


def test_a_downgrade_that_goes_too_far_ends_where_it_began(legacy_file: Path) -> None:
    upgrade(f"sqlite:///{legacy_file}")
    with pytest.raises(DatabaseError, match=r"There is nothing before 6f6f6afb1af3.*is as it was before"):
        downgrade(f"sqlite:///{legacy_file}", "base")
    assert revision(f"sqlite:///{legacy_file}") == head()


def test_of_two_starts_at_once_one_waits_for_the_other(legacy_file: Path) -> None:
    code = f"from dispinmap.database.upgrade import upgrade; upgrade('sqlite:///{legacy_file}')"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [each.wait() for each in both] == [0, 0]
    assert verify(f"sqlite:///{legacy_file}") == []
    assert rows(legacy_file, COUNT_TARGETS) == [8]
    assert files_beside(legacy_file) == [f"legacy.db.before-{LEGACY_REVISION}"]


def test_a_waiting_upgrade_continues_when_the_other_process_dies(legacy_file: Path) -> None:
    with dying(legacy_file):
        upgrade(f"sqlite:///{legacy_file}")
    assert verify(f"sqlite:///{legacy_file}") == []


@contextmanager
def dying(path: Path) -> Iterator[None]:
    """Another process is in the middle of an upgrade, and dies once the block has begun to wait for it."""
    code = (
        "import sys; from dispinmap.database.lock import one_change_at_a_time\n"
        f"with one_change_at_a_time('sqlite:///{path}'):\n print('in', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        with pytest.MonkeyPatch.context() as patch:
            flock = fcntl.flock

            def watched(folder: int, how: int) -> None:
                if not how & fcntl.LOCK_NB:
                    other.send_signal(signal.SIGKILL)
                flock(folder, how)

            patch.setattr(fcntl, "flock", watched)
            yield


def test_other_databases_are_not_copied_and_the_log_says_so() -> None:
    with capture_logs() as logs, safety_net("postgresql://nowhere/bot", LEGACY_REVISION, silent):
        pass
    assert [log["event"] for log in logs] == ["no_copy_before_upgrade"]
