"""The rules of a restore at a start, with a folder and a fake Litestream."""

import asyncio
import errno
import re
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from dispinmap.backup.copying import restore_checked
from dispinmap.backup.errors import BackupError, NoBackup, RestoreFailed, StorageRefused, StorageUnreachable
from dispinmap.backup.inspection import Inspection, inspect_file
from dispinmap.backup.models import Configuration, Format, Heartbeat, LeaseRecord, Replica, StorageKind
from dispinmap.backup.place import BackupPlace, make_place
from dispinmap.backup.restore import Restored, install, restore_newest, set_aside
from dispinmap.database.revisions import LEGACY_REVISION
from tests.backup.fake_litestream import FakeLitestream
from tests.backup.hasty_clock import HastyClock
from tests.backup.stored import NOON, beat
from tests.migrations import legacy, shapes

PREVIOUS = LeaseRecord("us", "host", NOON, 60, released=True, writer="them", heartbeat_at=NOON)
FULL = OperationalError("UPDATE ...", None, sqlite3.OperationalError("database or disk is full"))
PATIENCE = 60
LTX = "ltx/0/0000000000000001-0000000000000001.ltx"


class Scene:
    """A disk without a database, and a replica in a folder with a fake Litestream."""

    def __init__(self, folder: Path, good: Path) -> None:
        self.good = good
        self.replica = Replica(StorageKind.FILE, str(folder / "replica" / "db-v5"))
        self.stored = Path(self.replica.path) / LTX
        self.stored.parent.mkdir(parents=True)
        self.stored.touch()
        self.configuration = Configuration(Format.V0_5, folder / "disk" / "bot.db", self.replica, {})
        self.database.parent.mkdir()
        self.clock = HastyClock(NOON)
        self.litestream = FakeLitestream(Format.V0_5, [])

    @property
    def database(self) -> Path:
        return self.configuration.database

    @property
    def on_disk(self) -> list[str]:
        return sorted(each.name for each in self.database.parent.iterdir())

    async def restore_newest(
        self, *outcomes: Path | Exception, previous: LeaseRecord | None = None, allow_empty: bool = False
    ) -> Restored | None:
        self.litestream = FakeLitestream(self.configuration.format, outcomes)
        return await restore_newest(
            self.place(), previous=previous, allow_empty=allow_empty, clock=self.clock, seconds=5
        )

    def place(self) -> BackupPlace:
        return make_place(self.configuration, self.litestream, self.clock, 60)

    async def refusal(
        self, *outcomes: Path | Exception, previous: LeaseRecord | None = None, allow_empty: bool = False
    ) -> str:
        """The sentence of a refused start, which leaves the disk as it was."""
        before = self.on_disk
        with pytest.raises(BackupError) as caught:
            await self.restore_newest(*outcomes, previous=previous, allow_empty=allow_empty)
        assert self.on_disk == before
        return str(caught.value)

    def empty_the_replica(self) -> None:
        shutil.rmtree(self.replica.path)


@pytest.fixture
def scene(tmp_path: Path, database_file: Path) -> Scene:
    beat(database_file, NOON)
    return Scene(tmp_path, database_file)


async def test_a_good_copy_is_put_in_place_and_marked_as_restored(scene: Scene) -> None:
    restored = await scene.restore_newest(scene.good, previous=PREVIOUS)
    assert restored is not None
    assert restored.copy.problems == ()
    assert scene.on_disk == [scene.database.name]
    with closing(sqlite3.connect(scene.database)) as connection:
        assert connection.execute("SELECT restored_at, holder FROM heartbeat").fetchall() == [
            ("2026-03-01 12:00:00.000000", "them")
        ]


async def test_a_slow_clock_does_not_hide_what_the_last_holder_may_have_posted(scene: Scene) -> None:
    later = replace(PREVIOUS, renewed_at=NOON + timedelta(hours=1))
    await scene.restore_newest(scene.good, previous=later)
    with closing(sqlite3.connect(scene.database)) as connection:
        assert connection.execute("SELECT restored_at FROM heartbeat").fetchall() == [("2026-03-01 13:00:00.000000",)]


async def test_a_cancelled_restore_has_ended_when_the_next_one_may_begin(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    installing, cancelled = threading.Event(), threading.Event()

    def install_later(part: Path, database: Path) -> None:
        installing.set()
        assert cancelled.wait(PATIENCE)
        install(part, database)

    monkeypatch.setattr("dispinmap.backup.restore.install", install_later)
    task = asyncio.create_task(scene.restore_newest(scene.good))
    assert await asyncio.to_thread(installing.wait, PATIENCE)
    task.cancel()
    for _ in range(15):
        await asyncio.sleep(0)
    assert not task.done()
    cancelled.set()
    await asyncio.wait({task})
    assert task.cancelled()
    assert scene.on_disk == [scene.database.name]


async def test_what_a_former_database_left_is_removed_before(scene: Scene) -> None:
    for name in ("bot.db-wal", "bot.db-shm", "bot.db.restoring", "bot.db.restoring-wal"):
        scene.database.with_name(name).write_text("old")
    state = scene.database.with_name(".bot.db-litestream")
    (state / "generations").mkdir(parents=True)
    await scene.restore_newest(scene.good)
    assert scene.on_disk == [scene.database.name]
    assert inspect_file(scene.database).problems == ()


async def test_nothing_is_restored_over_a_database(scene: Scene) -> None:
    scene.database.write_text("precious")
    assert "already exists" in await scene.refusal(scene.good)
    assert scene.database.read_text() == "precious"


async def test_an_empty_place_where_nobody_ever_wrote_is_proof(scene: Scene) -> None:
    scene.empty_the_replica()
    assert await scene.restore_newest() is None
    assert await scene.restore_newest(previous=replace(PREVIOUS, writer=None, heartbeat_at=None)) is None
    assert len(scene.litestream.asked) == 0


async def test_an_empty_place_where_somebody_wrote_is_none(scene: Scene) -> None:
    scene.empty_the_replica()
    sentence = await scene.refusal(previous=PREVIOUS)
    assert "now nothing is there" in sentence
    assert "--allow-empty" in sentence
    assert await scene.restore_newest(previous=PREVIOUS, allow_empty=True) is None


async def test_of_a_bot_that_may_never_have_stored_anything_it_says_so(scene: Scene) -> None:
    scene.empty_the_replica()
    begun = replace(PREVIOUS, heartbeat_at=None)
    assert "there never was a backup, and `dispinmap start --allow-empty`" in await scene.refusal(previous=begun)
    assert await scene.restore_newest(previous=begun, allow_empty=True) is None


async def test_an_empty_place_beside_a_backup_of_the_older_format_is_none(scene: Scene) -> None:
    scene.empty_the_replica()
    old = Path(scene.replica.path).with_name("db") / "generations" / "0123456789abcdef" / "snapshots"
    old.mkdir(parents=True)
    (old / "00000000.snapshot.lz4").touch()
    assert "upgrade-format" in await scene.refusal()
    assert "upgrade-format" in await scene.refusal(allow_empty=True)


async def test_a_volume_that_is_not_mounted_is_no_proof(scene: Scene) -> None:
    shutil.rmtree(Path(scene.replica.path).parent)
    assert "mount the volume" in await scene.refusal()
    assert "mount the volume" in await scene.refusal(allow_empty=True)


async def test_litestream_finding_nothing_is_no_proof(scene: Scene) -> None:
    nothing = NoBackup("Litestream 0.5 finds no backup.")
    assert "no whole backup" in await scene.refusal(nothing)
    assert "another, empty place" in await scene.refusal(nothing, allow_empty=True)


@pytest.mark.parametrize("behind", [timedelta(), timedelta(seconds=30)])
async def test_a_copy_older_than_what_the_replica_held_is_refused(scene: Scene, behind: timedelta) -> None:
    previous = replace(PREVIOUS, heartbeat_at=NOON + behind)
    if behind:
        sentence = await scene.refusal(scene.good, previous=previous)
        assert "ends at 2026-03-01 12:00:00 UTC" in sentence
        assert "dispinmap backup restore" in sentence
    else:
        assert await scene.restore_newest(scene.good, previous=previous)


async def test_a_copy_that_is_no_good_database_is_refused(scene: Scene, tmp_path: Path) -> None:
    torn = tmp_path / "torn.db"
    torn.write_bytes(scene.good.read_bytes()[:20000])
    assert "was restored and is not whole" in await scene.refusal(torn)


async def test_a_copy_of_a_newer_version_is_refused_with_the_way_out(scene: Scene) -> None:
    with closing(sqlite3.connect(scene.good)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        connection.commit()
    assert "Install the newer version" in await scene.refusal(scene.good)


async def test_a_copy_of_the_original_bot_is_put_in_place_for_the_upgrade(scene: Scene, tmp_path: Path) -> None:
    restored = await scene.restore_newest(legacy.create(tmp_path / "legacy.db"))
    assert restored is not None
    assert restored.copy.revision == LEGACY_REVISION
    assert inspect_file(scene.database).revision == LEGACY_REVISION


@pytest.mark.parametrize("make", [shapes.redesign, shapes.no_coordinates, shapes.early])
async def test_what_only_adopt_can_take_over_says_so(
    scene: Scene, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    sentence = await scene.refusal(make(tmp_path / "theirs.db"))
    assert "`dispinmap backup fetch` downloads it as a file, and `dispinmap db adopt FILE`" in sentence
    assert "restore --at" not in sentence


@pytest.mark.parametrize("module", ["restore.mark_restored", "restore.put_in_place"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), FULL])
async def test_a_full_disk_leaves_nothing_half(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, module: str, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(f"dispinmap.backup.{module}", fail)
    sentence = await scene.refusal(scene.good)
    assert "is good, but cannot be moved to" in sentence
    assert "check that its disk has room" in sentence
    assert "sqlalche.me" not in sentence


def test_a_log_that_sqlite_could_not_move_into_the_copy_is_no_copy(scene: Scene) -> None:
    part = scene.database.with_name("part")
    for suffix in ("", "-wal"):
        Path(f"{part}{suffix}").touch()
    with pytest.raises(OSError, match="No space left"):
        install(part, scene.database)
    assert not scene.database.exists()


@pytest.mark.parametrize("words", ["no space left on device", "permission denied", "read-only file system"])
async def test_an_error_of_our_own_disk_does_not_blame_the_storage(scene: Scene, words: str) -> None:
    sentence = await scene.refusal(*[RestoreFailed(f"write {scene.database}.restoring.tmp: {words}")] * 2)
    assert re.fullmatch(rf"The backup cannot be restored to .* \({words}\): check that its disk has room .*", sentence)


async def test_a_copy_is_never_made_over_a_file(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(BackupError, match="already exists"):
        await copy_of(scene, tmp_path / "copy.db", [scene.good], NOON)
    assert (tmp_path / "copy.db").read_text() == "precious"


async def copy_of(scene: Scene, target: Path, outcomes: list[Path | Exception], at: datetime) -> Inspection:
    scene.litestream = FakeLitestream(Format.V0_5, outcomes)
    return await restore_checked(scene.place(), target, clock=scene.clock, seconds=5, at=at)


async def test_a_copy_from_after_the_given_time_is_not_used(scene: Scene, tmp_path: Path) -> None:
    later = Path(shutil.copy(scene.good, tmp_path / "later.db"))
    beat(later, NOON + timedelta(seconds=0.5))
    copy = await copy_of(scene, tmp_path / "copy.db", [later, scene.good], NOON)
    assert copy.heartbeat == Heartbeat(NOON, "them", None)
    assert [at for _, at, _ in scene.litestream.asked] == [NOON, NOON - timedelta(seconds=1.5)]


async def test_if_every_copy_is_from_after_the_given_time_none_is_used(scene: Scene, tmp_path: Path) -> None:
    before = NOON - timedelta(minutes=1)
    with pytest.raises(RestoreFailed, match="the clocks of the bot and the storage differ"):
        await copy_of(scene, tmp_path / "copy.db", [scene.good] * 3, before)
    assert not (tmp_path / "copy.db").exists()


async def test_storage_that_answers_late_is_waited_for(scene: Scene) -> None:
    silence = StorageUnreachable("No answer.")
    assert await scene.restore_newest(silence, silence, scene.good)
    assert scene.clock.now() == NOON + timedelta(seconds=2 + 4)


async def test_storage_that_never_answers_stops_the_start(scene: Scene) -> None:
    silence = StorageUnreachable("No answer.")
    assert "No answer." in await scene.refusal(silence, silence, silence)
    assert len(scene.litestream.asked) == 3


async def test_storage_that_refuses_is_not_asked_again(scene: Scene) -> None:
    assert "No permission." in await scene.refusal(StorageRefused("No permission."))
    assert len(scene.litestream.asked) == 1


async def test_only_with_0_5_a_failed_restore_is_retried_once(scene: Scene) -> None:
    broken = RestoreFailed("It is broken.")
    assert await scene.restore_newest(broken, scene.good)
    scene.database.unlink()
    assert "It is broken." in await scene.refusal(broken, broken)
    scene.configuration = replace(scene.configuration, format=Format.V0_3)
    assert "It is broken." in await scene.refusal(broken, scene.good)


async def test_a_time_without_a_backup_is_told_apart_from_a_broken_one(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(NoBackup):
        await copy_of(scene, tmp_path / "copy.db", [NoBackup("Nothing of that time.")], NOON)


def test_a_damaged_database_is_set_aside_with_its_log_as_they_are(scene: Scene) -> None:
    for suffix in ("", "-wal"):
        Path(f"{scene.database}{suffix}").write_text(f"ours{suffix}")
    (scene.database.with_name(".bot.db-litestream") / "ltx").mkdir(parents=True)
    kept = set_aside(scene.database, scene.clock)
    assert kept.name == "bot.db.set-aside-20260301T120000Z"
    assert [kept.read_text(), Path(f"{kept}-wal").read_text()] == ["ours", "ours-wal"]
    assert not [name for name in scene.on_disk if not name.startswith(kept.name)]


def test_a_database_is_one_file_before_it_is_set_aside(scene: Scene) -> None:
    """Then no crash can separate it from its log."""
    with closing(sqlite3.connect(scene.good)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        beat(scene.good, NOON + timedelta(minutes=1))
        for suffix in ("", "-wal"):
            shutil.copy(f"{scene.good}{suffix}", f"{scene.database}{suffix}")
    kept = set_aside(scene.database, scene.clock)
    assert scene.on_disk == [kept.name]
    assert inspect_file(kept).heartbeat == Heartbeat(NOON + timedelta(minutes=1), "them", None)


def test_a_database_is_never_set_aside_over_another(scene: Scene) -> None:
    for content in ("first", "second"):
        scene.database.write_text(content)
        if content == "first":
            kept = set_aside(scene.database, scene.clock)
    with pytest.raises(BackupError, match="wait a second"):
        set_aside(scene.database, scene.clock)
    assert (kept.read_text(), scene.database.read_text()) == ("first", "second")
