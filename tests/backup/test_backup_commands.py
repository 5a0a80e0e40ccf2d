"""`dispinmap backup list|restore|validate|drill`, as an operator types them."""

import asyncio
import json
import re
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dispinmap.backup.freshness import is_newest
from dispinmap.backup.inspection import inspect_file
from dispinmap.backup.lease.lease import Lease
from dispinmap.backup.lease.open import open_lease, read_lease
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.models import Configuration, Format, StorageKind
from dispinmap.backup.storage.open import open_store
from dispinmap.backup.validation import State, validate
from dispinmap.cli.main import app
from dispinmap.clock import SystemClock
from dispinmap.database.lock import in_use
from dispinmap.settings import BackupSettings
from tests.backup.conftest import BINARIES, PROJECT, StoragePlace
from tests.backup.running import running
from tests.backup.stored import beat
from tests.backup.writing import configuration
from tests.fakes.clock import ManualClock

Backup = Callable[..., Result]


@pytest.fixture
def backup(monkeypatch: pytest.MonkeyPatch, place: StoragePlace, binary: Path, database_file: Path) -> Backup:
    """Runs `dispinmap backup …` without a token."""
    monkeypatch.chdir(database_file.parent)
    for name in ("DISCORD_TOKEN", "SQLALCHEMY_URL", "DATABASE_PATH", "LITESTREAM_BUCKET", "LITESTREAM_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LITESTREAM_PATH", str(database_file))
    monkeypatch.setenv("LITESTREAM_REPLICA_URL", place.url)
    monkeypatch.setenv("LITESTREAM_BIN", str(binary))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("dispinmap.log.configure", lambda *_: None)
    return lambda *arguments, **more: CliRunner().invoke(app, ["backup", *arguments], **more)


class Bot:
    """What a bot does to its database and its backup, from one command to the next."""

    def __init__(self, place: StoragePlace, binary: Path, file: Path) -> None:
        self.file = file
        self.replica = place.replica
        self._litestream = asyncio.run(find_litestream(binary, SystemClock()))

    @property
    def _configuration(self) -> Configuration:
        return configuration(self.replica, self._litestream.format, self.file)

    def run(self, *channels: int) -> datetime:
        """Write these channels and a heartbeat, and replicate it all; returns when that was done."""
        return asyncio.run(self._run(channels))

    async def _run(self, channels: tuple[int, ...]) -> datetime:
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            async with running(self._litestream, self._configuration) as replication:
                # 0.3 begins a generation for what was written while it was down.
                assert await replication.synced(60)
                with connection:
                    rows = [(channel, 1) for channel in channels]
                    connection.executemany("INSERT INTO channel_configs (channel_id, guild_id) VALUES (?, ?)", rows)
                beat(self.file, datetime.now(UTC))
                assert await replication.synced(60)
        return datetime.now(UTC)

    def restored(self, target: Path) -> list[int]:
        """The channels in the newest state of the backup."""
        asyncio.run(self._litestream.restore(self._configuration, target))
        return channels_in(target)

    def lease_remembers(self) -> bool:
        """Whether the next start would accept the file."""
        lease = asyncio.run(read_lease(self.replica, open_store(self.replica)))
        return lease is not None and lease.released and is_newest(inspect_file(self.file).heartbeat, lease)


@pytest.fixture
def bot(place: StoragePlace, binary: Path, database_file: Path) -> Bot:
    return Bot(place, binary, database_file)


def channels_in(file: Path) -> list[int]:
    with closing(sqlite3.connect(file)) as connection:
        return [row for (row,) in connection.execute("SELECT channel_id FROM channel_configs ORDER BY 1")]


def until_the_next_second() -> None:
    """Moto has times in whole seconds, and 0.3 confuses generations of the same second; so wait for the next one."""
    threading.Event().wait(1.1)


def test_an_operator_goes_back_in_time_and_the_backup_follows(
    backup: Backup, bot: Bot, database_file: Path, tmp_path: Path
) -> None:
    then = bot.run(1)
    until_the_next_second()
    bot.run(2, 3)
    points = json.loads(backup("list", "--json").stdout)["points"]
    assert "changes" in {point["kind"] for point in points}
    assert points[0]["created_at"] >= then.isoformat(sep=" ", timespec="seconds")
    result = backup("restore", "--at", then.isoformat(), "--yes")
    assert result.exit_code == 0, result.output
    assert channels_in(database_file) == [1]
    assert bot.lease_remembers()
    (kept,) = database_file.parent.glob("*.set-aside-*Z")
    assert channels_in(kept) == [1, 2, 3]
    until_the_next_second()
    bot.run(4)
    assert bot.restored(tmp_path / "newest.db") == [1, 4]


in_a_folder = pytest.mark.parametrize("place", [StorageKind.FILE], indirect=True)
with_either = pytest.mark.parametrize("binary", [Format.V0_3], indirect=True)
"""For tests that do not depend on Litestream's version."""


def checks(result: Result) -> dict[str, str]:
    """The state of each check of a validation."""
    return {each["name"]: each["state"] for each in json.loads(result.stdout)["checks"]}


def sentence(result: Result) -> str:
    """The sentence of the error that ended the command."""
    assert result.exit_code == 1
    return f"{result.stdout}{result.exception}"


@in_a_folder
def test_a_good_backup_is_proven_and_listed(backup: Backup, bot: Bot, database_file: Path) -> None:
    bot.run(1)
    result = backup("validate", "--json")
    assert result.exit_code == 0, result.output
    assert set(checks(result).values()) <= {"good", "note"}
    assert "No bot has held the lease" in json.loads(backup("list", "--json").stdout)["lease"]
    assert {"copy", "schema", "rows", "age"} <= checks(result).keys()
    shown = backup("validate").stdout
    assert re.search(r"As in the live database:\s.*1 channel_configs", shown)
    assert "The backup is good." in shown
    assert "The drill passed" in backup("drill").stdout
    assert re.search(r"From .* UTC: snapshots \d+, changes [1-9]\d*, bytes [\d,]+\.", backup("list", "--all").stdout)
    assert [
        each.name for each in database_file.parent.iterdir() if "dispinmap-" in each.name or "drill" in each.name
    ] == []


@in_a_folder
@with_either
@pytest.mark.usefixtures("backup")
@pytest.mark.parametrize(("minutes", "state"), [(0, State.GOOD), (10, State.FAILED)])
def test_only_a_running_bot_may_have_a_few_rows_more_or_fewer(
    bot: Bot, database_file: Path, minutes: int, state: State
) -> None:
    bot.run(1)
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute("INSERT INTO drills (finished_at) VALUES ('2026-03-01 12:00:00')")
    clock = ManualClock(datetime.now(UTC) + timedelta(minutes=minutes))
    found = {check.name: check for check in asyncio.run(validate(BackupSettings.load(), clock))}
    assert found["rows"].state is state
    assert ("except for what a running bot changes" in found["rows"].sentence) == (state is State.GOOD)


@in_a_folder
@with_either
def test_a_backup_that_fell_behind_is_not_proven(backup: Backup, bot: Bot, database_file: Path) -> None:
    bot.run(1)
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute("INSERT INTO channel_configs (channel_id, guild_id) VALUES (7, 1)")
    result = backup("validate", "--json")
    assert result.exit_code == 1
    assert [name for name, state in checks(result).items() if state == "failed"] == ["rows"]
    drilled = backup("drill", "--json")
    assert drilled.exit_code == 1
    assert "channel_configs has 1 rows" in json.loads(drilled.stdout)["problem"]


@in_a_folder
@with_either
def test_one_failed_check_hides_no_other(
    backup: Backup, bot: Bot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bot.run(1)
    monkeypatch.setenv("LITESTREAM_BIN", str(tmp_path / "no-litestream"))
    found = checks(backup("validate", "--json"))
    assert (found["database"], found["litestream"], found["configuration"]) == ("good", "failed", "good")
    assert found["copy"] == "skipped"
    monkeypatch.delenv("LITESTREAM_REPLICA_URL")
    found = checks(backup("validate", "--json"))
    assert (found["environment"], found["database"], found["replica"]) == ("failed", "good", "skipped")


@pytest.mark.parametrize("place", [StorageKind.S3], indirect=True)
@pytest.mark.parametrize("binary", [Format.V0_5], indirect=True)
def test_of_a_storage_that_is_down_litestream_is_not_asked_for_minutes(
    backup: Backup, place: StoragePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTORE_TIMEOUT_SECONDS", "1")
    with socket.socket() as reserved:
        # Bound but not listening: no one else gets the port, and no one answers.
        reserved.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        monkeypatch.setenv("LITESTREAM_REPLICA_URL", place.url.replace(str(place.replica.endpoint), address))
        found = checks(backup("validate", "--json"))
        assert (found["lease"], found["replica"], found["copy"]) == ("failed", "failed", "skipped")
        assert "could not be reached" in sentence(backup("list"))


@in_a_folder
@with_either
def test_an_empty_replica_and_a_broken_database_are_told_apart(backup: Backup, database_file: Path) -> None:
    database_file.write_bytes(b"torn" * 5000)
    found = checks(backup("validate", "--json"))
    assert (found["database"], found["replica"], found["copy"]) == ("failed", "failed", "failed")


@in_a_folder
@with_either
def test_a_machine_without_a_database_can_prove_the_backup_too(backup: Backup, bot: Bot, database_file: Path) -> None:
    bot.run(1)
    database_file.unlink()
    result = backup("validate", "--json")
    assert result.exit_code == 0, result.output
    assert checks(result)["database"] == "note"


@in_a_folder
@with_either
def test_a_copy_is_written_beside_the_database_and_never_over_a_file(
    backup: Backup, bot: Bot, database_file: Path, tmp_path: Path
) -> None:
    bot.run(1)
    before = database_file.read_bytes()
    target = tmp_path / "copy.db"
    assert "checked" in backup("restore", "--to", str(target)).stdout
    assert channels_in(target) == [1]
    assert database_file.read_bytes() == before
    assert "already exists" in sentence(backup("restore", "--to", str(target)))
    assert "There is no folder" in sentence(backup("restore", "--to", str(tmp_path / "none" / "copy.db")))


@in_a_folder
@with_either
def test_nothing_is_replaced_before_somebody_agreed(backup: Backup, bot: Bot, database_file: Path) -> None:
    bot.run(1, 2)
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute("DELETE FROM channel_configs WHERE channel_id = 2")
    refused = backup("restore", input="n\n")
    assert refused.exit_code == 1
    assert "channel_configs, rows" in refused.stdout
    assert "Nothing was changed." in refused.stdout
    assert channels_in(database_file) == [1]
    assert backup("restore", input="y\n").exit_code == 0
    assert channels_in(database_file) == [1, 2]


@in_a_folder
@with_either
def test_a_lost_database_comes_back_by_hand(backup: Backup, bot: Bot, database_file: Path) -> None:
    bot.run(1)
    database_file.unlink()
    result = backup("restore", "--yes")
    assert result.exit_code == 0, result.output
    assert channels_in(database_file) == [1]
    assert bot.lease_remembers()
    assert "The lease is free" in backup("list").stdout
    assert not list(database_file.parent.glob("*.set-aside-*"))


@in_a_folder
@with_either
def test_a_backup_in_use_is_not_restored_over(
    backup: Backup, bot: Bot, place: StoragePlace, database_file: Path
) -> None:
    bot.run(1)
    with in_use(database_file):
        assert "stop it first" in sentence(backup("restore", "--yes"))
    lease = open_lease(place.replica, open_store(place.replica), SystemClock(), seconds=60, holder="other")
    asyncio.run(_acquired(lease))
    assert "is in use by the bot other" in sentence(backup("restore", "--yes"))
    assert "is in use by the bot other" in backup("list").stdout
    assert channels_in(database_file) == [1]


async def _acquired(lease: Lease) -> None:
    await lease.acquire()


@in_a_folder
def test_what_the_other_litestream_wrote_is_not_called_nothing(
    backup: Backup, bot: Bot, monkeypatch: pytest.MonkeyPatch, binary: Path
) -> None:
    bot.run(1)
    (other,) = set(BINARIES.values()) - {binary}
    monkeypatch.setenv("LITESTREAM_BIN", str(other))
    assert "holds a backup that Litestream" in sentence(backup("list"))


@in_a_folder
@with_either
def test_changes_without_a_snapshot_are_not_called_nothing(backup: Backup, bot: Bot) -> None:
    bot.run(1)
    for snapshot in Path(bot.replica.path).glob("generations/*/snapshots/*"):
        snapshot.unlink()
    assert "but nothing that Litestream 0.3" in sentence(backup("list"))


@in_a_folder
@with_either
def test_a_copy_that_is_known_to_be_old_is_not_taken_for_the_newest(
    backup: Backup, bot: Bot, place: StoragePlace, tmp_path: Path
) -> None:
    now = bot.run(1)
    asyncio.run(_remembered(open_lease(place.replica, open_store(place.replica), SystemClock(), seconds=60), now))
    old = backup("restore", "--to", str(tmp_path / "old.db"))
    assert "not the newest state. The copy ends at" in old.stderr
    assert old.exit_code == 1
    assert channels_in(tmp_path / "old.db") == [1]
    assert backup("restore", "--at", now.isoformat(), "--to", str(tmp_path / "then.db")).exit_code == 0


@in_a_folder
@with_either
def test_a_lease_that_cannot_be_read_keeps_nobody_from_the_data(
    backup: Backup, bot: Bot, place: StoragePlace, tmp_path: Path
) -> None:
    bot.run(1)
    Path(place.replica.lease_path).write_text("{")
    copy = backup("restore", "--to", str(tmp_path / "copy.db"))
    assert "It may not be the newest state" in copy.stderr
    assert copy.exit_code == 1
    assert channels_in(tmp_path / "copy.db") == [1]


async def _remembered(lease: Lease, heartbeat_at: datetime) -> None:
    await lease.acquire()
    await lease.record(heartbeat_at=heartbeat_at)
    await lease.release()


@in_a_folder
@with_either
@pytest.mark.parametrize("where", [("--to", "copy.db"), ("--yes",)])
def test_what_0_5_went_on_from_is_not_restored_with_0_3(
    backup: Backup, bot: Bot, place: StoragePlace, database_file: Path, where: tuple[str, ...]
) -> None:
    bot.run(1)
    beside = replace(place.replica, path=f"{place.replica.path}-v5")
    Bot(StoragePlace(beside, ""), BINARIES[Format.V0_5], database_file).run(2)
    assert "would silently restore an older state" in sentence(backup("restore", *where))
    assert not (database_file.parent / "copy.db").exists()


@in_a_folder
@with_either
@pytest.mark.parametrize("words", ["yesterday", "2026-13-01", "2999-01-01 12:00", "0001-01-01 00:00+14:00"])
def test_a_time_that_is_none_or_has_not_come_is_refused(backup: Backup, words: str) -> None:
    assert backup("restore", "--at", words).exit_code == 2


@in_a_folder
@with_either
@pytest.mark.usefixtures("backup")
def test_the_script_of_the_guide_is_the_same_command(bot: Bot) -> None:
    bot.run(1)
    command = [sys.executable, str(PROJECT / "scripts" / "validate_litestream.py"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["good"] is True
