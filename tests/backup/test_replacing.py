"""`dispinmap backup restore` replaces the database, or is killed at a step: what the next start continues from."""

import asyncio
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dispinmap import start
from dispinmap.backup import replacing
from dispinmap.backup.errors import BackupError, StorageUnreachable
from dispinmap.backup.lease.open import read_lease
from dispinmap.backup.models import Configuration, Format, Replica, StorageKind
from dispinmap.backup.place import BackupPlace, make_place
from dispinmap.backup.replacing import Replaced, replace_database
from dispinmap.backup.restore import set_aside
from dispinmap.backup.storage.open import open_store
from dispinmap.clock import Clock, SystemClock
from dispinmap.secret import Secret
from dispinmap.settings import Settings
from tests.backup.fake_litestream import FakeLitestream
from tests.backup.hasty_clock import HastyClock
from tests.backup.stored import NOON, beat

DIED = 9
PATIENCE = 60


class Disk:
    """A database with three channels; its backup lacks the third, and an older copy has only the first."""

    def __init__(self, folder: Path, empty: Path) -> None:
        self.replica = Replica(StorageKind.FILE, str(folder / "replica" / "db"))
        # A minute passes with each command, because two databases set aside in one second would have the same name.
        self.clock = HastyClock(NOON)
        stored = Path(self.replica.path) / "ltx" / "0" / "0000000000000001-0000000000000001.ltx"
        stored.parent.mkdir(parents=True)
        stored.touch()
        (folder / "disk").mkdir()
        self.database = made(Path(shutil.copy(empty, folder / "disk" / "my bot.db")), 1, 2, 3)
        self.newest = made(Path(shutil.copy(empty, folder / "newest.db")), 1, 2)
        self.wanted = made(Path(shutil.copy(empty, folder / "wanted.db")), 1)
        asyncio.run(self._sign())

    def place(self, copy: Path) -> BackupPlace:
        """A place whose Litestream restores `copy`, with a new lease as in another process."""
        configuration = Configuration(Format.V0_5, self.database, self.replica, {})
        return make_place(configuration, FakeLitestream(Format.V0_5, [copy]), SystemClock(), 30)

    async def _sign(self) -> None:
        lease = self.place(self.newest).lease
        await lease.try_acquire()
        await lease.record(writer="them", heartbeat_at=NOON)
        await lease.release()

    def replace(self) -> Replaced | None:
        self.clock.advance(60)
        return asyncio.run(replace_database(self.place(self.wanted), self.clock, agreed=lambda _: True, at=NOON))

    def replace_and_die(self, step: str, *, after: bool) -> None:
        """In a child process that is killed before or after that step."""
        child = os.fork()
        if child == 0:
            setattr(replacing, step, _dying(getattr(replacing, step), after=after))
            self.replace()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == DIED
        # As it did in the child.
        self.clock.advance(60)

    def start(self) -> list[int]:
        """What the next start prepares: the channels of the database it would run on."""
        url = f"sqlite:///{self.database}"
        settings = Settings(discord_token=Secret("token"), sqlalchemy_url=Secret(url))
        asyncio.run(self._start(settings))
        return channels(self.database)

    async def _start(self, settings: Settings) -> None:
        place = self.place(self.newest)
        previous = await place.lease.try_acquire()
        self.clock.advance(60)
        await start.Preparation(settings, self.clock, place, allow_empty=False, show=lambda _: None).run(previous)
        await place.lease.release()

    @property
    def kept(self) -> list[list[int]]:
        """The channels of each database that was set aside."""
        return [channels(each) for each in self.database.parent.glob("*.set-aside-*Z")]


def _dying(step: Callable[..., object], *, after: bool) -> Callable[..., object]:
    def die(*arguments: object) -> object:
        if after:
            step(*arguments)
        os._exit(DIED)

    return die


def made(file: Path, *ids: int) -> Path:
    with closing(sqlite3.connect(file)) as connection, connection:
        rows = [(each, 1) for each in ids]
        connection.executemany("INSERT INTO channel_configs (channel_id, guild_id) VALUES (?, ?)", rows)
    beat(file, NOON if len(ids) > 1 else NOON - timedelta(hours=1))
    return file


def channels(file: Path) -> list[int]:
    with closing(sqlite3.connect(file)) as connection:
        return [row for (row,) in connection.execute("SELECT channel_id FROM channel_configs ORDER BY 1")]


@pytest.fixture
def disk(tmp_path: Path, database_file: Path) -> Disk:
    return Disk(tmp_path, database_file)


@pytest.mark.parametrize(
    ("step", "after", "then", "kept"),
    [
        ("set_aside", False, [1, 2, 3], []),
        ("set_aside", True, [1, 2], [[1, 2, 3]]),
        ("install", True, [1], [[1, 2, 3]]),
    ],
)
def test_a_killed_restore_loses_nothing(
    disk: Disk,
    step: str,
    after: bool,  # noqa: FBT001 -- pytest passes it
    then: list[int],
    kept: list[list[int]],
) -> None:
    disk.replace_and_die(step, after=after)
    assert (disk.start(), disk.kept) == (then, kept)
    assert disk.replace() is not None
    assert not list(disk.database.parent.glob(".*-restore-*"))


def test_a_slow_clock_does_not_hide_what_the_last_holder_may_have_posted(disk: Disk) -> None:
    lease = asyncio.run(read_lease(disk.replica, open_store(disk.replica)))
    assert lease is not None
    assert lease.renewed_at > disk.clock.now() + timedelta(hours=1)
    disk.replace()
    with closing(sqlite3.connect(disk.database)) as connection:
        (restored_at,) = connection.execute("SELECT restored_at FROM heartbeat").fetchone()
    assert datetime.fromisoformat(f"{restored_at}+00:00") == lease.renewed_at


def test_a_lease_that_cannot_be_signed_does_not_take_the_restore_back(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise StorageUnreachable("No answer.")

    with monkeypatch.context() as patch:
        patch.setattr("dispinmap.backup.lease.file_lease.FileLease.record", fail)
        with pytest.raises(StorageUnreachable):
            disk.replace()
    assert disk.start() == [1]


def test_a_full_disk_leaves_the_database_where_it_was(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("dispinmap.backup.restore.put_in_place", fail)
        with pytest.raises(BackupError, match=r"is as it was \(No space left .* check that its disk has room"):
            disk.replace()
    assert (channels(disk.database), disk.kept) == ([1, 2, 3], [])
    assert disk.start() == [1, 2, 3]


def test_a_full_disk_leaves_the_database_its_log(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    # One with a problem is not touched before it is set aside, so that its log stays a file of its own.
    with closing(sqlite3.connect(disk.database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO channel_configs (channel_id, guild_id) VALUES (4, 1)")
        connection.execute("UPDATE alembic_version SET version_num = 'unknown'")
        log = Path(f"{disk.database}-wal").read_bytes()
        file = disk.database.read_bytes()
    disk.database.write_bytes(file)
    Path(f"{disk.database}-wal").write_bytes(log)
    monkeypatch.setattr("dispinmap.backup.restore.put_in_place", fail)
    with pytest.raises(BackupError, match="is as it was"):
        disk.replace()
    assert Path(f"{disk.database}-wal").read_bytes() == log
    assert channels(disk.database) == [1, 2, 3, 4]


def test_ctrl_c_while_the_databases_are_exchanged_waits_until_they_are(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    between, cancelled = threading.Event(), threading.Event()

    def set_aside_and_wait(database: Path, clock: Clock) -> Path:
        kept = set_aside(database, clock)
        between.set()
        assert cancelled.wait(PATIENCE)
        return kept

    async def interrupted() -> None:
        restoring = replace_database(disk.place(disk.wanted), disk.clock, agreed=lambda _: True, at=NOON)
        task = asyncio.create_task(restoring)
        assert await asyncio.to_thread(between.wait, PATIENCE)
        task.cancel()
        # Who ended at once would clear the copy away with its folder.
        for _ in range(15):
            await asyncio.sleep(0)
        cancelled.set()
        await asyncio.wait({task})
        assert task.cancelled()

    monkeypatch.setattr(replacing, "set_aside", set_aside_and_wait)
    asyncio.run(interrupted())
    assert (channels(disk.database), disk.kept) == ([1], [[1, 2, 3]])
