"""Fetching, compared with Litestream 0.3's own restore of the same replicas."""

import os
import re
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import lz4.frame
import pytest

from dispinmap.backup.errors import BackupError, Conflict, NoBackup, RestoreFailed
from dispinmap.backup.litestream03.fetch import ATTEMPTS, Fetched, fetch, missing_pieces
from dispinmap.backup.litestream03.generations import Plan, plan
from dispinmap.backup.models import Replica, StorageKind
from dispinmap.backup.storage.folder import FolderStore
from dispinmap.backup.storage.open import open_store
from dispinmap.backup.storage.store import StoredObject
from dispinmap.backup.storage.threaded import ThreadedStore
from dispinmap.backup.threads import in_thread
from tests.backup.conftest import StoragePlace
from tests.backup.original import DEADLINE_SECONDS, Original, contents, wait_until, writing


@pytest.fixture
def original(place: StoragePlace, tmp_path: Path) -> Original:
    made = Original(tmp_path / "original.db", place.replica, tmp_path)
    made.create()
    return made


@pytest.fixture
def in_folder(tmp_path: Path) -> Original:
    made = Original(tmp_path / "original.db", Replica(StorageKind.FILE, str(tmp_path / "replica" / "db")), tmp_path)
    made.create()
    return made


@pytest.fixture(scope="session")
def one_replica(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """A replica with some logs, left by a crash; tests copy it."""
    folder = tmp_path_factory.mktemp("one")
    replica = Replica(StorageKind.FILE, str(folder / "db"))
    made = Original(folder / "original.db", replica, folder, sync_interval="30ms")
    made.create()
    made.replicate()
    return made


@pytest.fixture
def copied(one_replica: Original, tmp_path: Path) -> Original:
    path = tmp_path / "db"
    shutil.copytree(one_replica.replica.path, path)
    return Original(one_replica.database, Replica(StorageKind.FILE, str(path)), tmp_path)


async def planned(original: Original) -> Plan:
    return plan(original.replica, await open_store(original.replica).list(original.replica.path))


def a_middle_segment(chosen: Plan) -> Path:
    """Neither the first nor the last of its log."""
    one, two, three = next(
        each
        for each in zip(chosen.segments, chosen.segments[1:], chosen.segments[2:], strict=False)
        if len({segment.index for segment in each}) == 1
    )
    assert one.offset < two.offset < three.offset
    return Path(two.stored.key)


def left_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


async def test_what_is_fetched_is_what_litestream_restores_byte_for_byte(original: Original, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.db", tmp_path / "theirs.db"
    original.replicate(1)
    original.forget()
    original.replicate(2)
    fetched = await fetch(open_store(original.replica), original.replica, ours)
    assert original.restore(theirs)
    assert ours.read_bytes() == theirs.read_bytes()
    assert len(contents(ours)) > 50
    assert fetched.segments > 0
    assert fetched.warning is None
    assert await missing_pieces(open_store(original.replica), original.replica) == []


async def test_a_time_brings_what_litestream_brings_for_it(original: Original, tmp_path: Path) -> None:
    original.replicate(5 if original.replica.kind is StorageKind.S3 else 2)
    store = open_store(original.replica)
    times = sorted({one.stored.updated_at for one in (await planned(original)).segments})
    assert len(times) > 1
    for number, (before, after) in enumerate(list(pairwise(times))[:: max(1, len(times) // 2)]):
        at = before + (after - before) / 2
        ours, theirs = tmp_path / f"ours-{number}.db", tmp_path / f"theirs-{number}.db"
        await fetch(store, original.replica, ours, at=at)
        assert original.restore(theirs, at=at)
        assert contents(ours) == contents(theirs)


async def test_twenty_replicas_under_load_are_fetched_as_litestream_restores_them(
    in_folder: Original, tmp_path: Path
) -> None:
    moments = []
    in_folder = replace(in_folder, snapshot_interval="600ms")
    with in_folder.replicating(), writing(in_folder.database) as count:
        wait_until(lambda: snapshots(in_folder))
        for number in range(20):
            wait_until(partial(lambda so_far: count[0] > so_far, count[0] + 15))
            moments.append(moment(in_folder, tmp_path / f"moment-{number}"))
    compared = 0
    for one in moments:
        ours, theirs = one.folder / "ours.db", one.folder / "theirs.db"
        fetched = await fetch(open_store(one.replica), one.replica, ours)
        assert contents(ours)
        # A snapshot whose log is not stored yet can be newer than that log, and torn: Litestream takes it, we do not.
        same = fetched.plan.snapshot.stored.key == str(max(snapshots(one)))
        if same and one.restore(theirs) and is_sound(theirs):
            assert contents(ours) == contents(theirs)
            compared += 1
    assert compared >= 5


async def test_fetching_works_during_writes_and_retention(place: StoragePlace, tmp_path: Path) -> None:
    original = Original(
        tmp_path / "original.db",
        place.replica,
        tmp_path,
        snapshot_interval="500ms",
        retention="3s",
        retention_check="100ms",
    )
    original.create()
    store = open_store(original.replica)
    fetched = [0]
    with original.replicating(), writing(original.database) as count:
        # The first ones may come before anything that was written is replicated.
        while len(fetched) < 4 or not fetched[-1]:
            wait_until(partial(lambda so_far: count[0] > so_far, count[0] + 30))
            target = tmp_path / f"{len(fetched)}.db"
            await when_there(partial(fetch, store, original.replica, target))
            fetched.append(max((number for number, _ in contents(target)), default=0))
    assert fetched == sorted(fetched)


async def test_newer_objects_replace_those_that_retention_deleted(in_folder: Original, tmp_path: Path) -> None:
    in_folder.replicate(1)

    def begin_anew() -> None:
        (old,) = Path(in_folder.replica.path, "generations").iterdir()
        in_folder.forget()
        in_folder.replicate(1)
        shutil.rmtree(old)

    store = _Changing(in_folder, begin_anew)
    before = await planned(in_folder)
    fetched = await fetch(store, in_folder.replica, tmp_path / "ours.db")
    assert fetched.plan.generation != before.generation
    assert in_folder.restore(tmp_path / "theirs.db")
    assert contents(tmp_path / "ours.db") == contents(tmp_path / "theirs.db")
    assert await missing_pieces(_Changing(in_folder, begin_anew), in_folder.replica) == []


async def test_a_snapshot_overwritten_after_the_listing_is_planned_again(in_folder: Original, tmp_path: Path) -> None:
    in_folder.replicate(1)
    before = await planned(in_folder)
    snapshot = Path(before.snapshot.stored.key)
    newer = tmp_path / "newer"

    def overwrite() -> None:
        shutil.copyfile(snapshot, newer)
        newer.replace(snapshot)

    fetched = await fetch(_Changing(in_folder, overwrite), in_folder.replica, tmp_path / "ours.db")
    assert fetched.plan != before
    assert fetched.plan == await planned(in_folder)


async def test_what_is_overwritten_faster_than_it_can_be_read_is_said(in_folder: Original, tmp_path: Path) -> None:
    in_folder.replicate(1)

    def overwrite() -> None:
        for snapshot in snapshots(in_folder):
            snapshot.touch()

    store = _Changing(in_folder, overwrite, times=ATTEMPTS)
    with pytest.raises(Conflict, match="overwritten or deleted after it was listed"):
        await fetch(store, in_folder.replica, tmp_path / "ours.db")
    assert not (tmp_path / "ours.db").exists()


class _Changing(ThreadedStore):
    """A store in which something changes right after each of the first listings."""

    def __init__(self, original: Original, change: Callable[[], None], *, times: int = 1) -> None:
        super().__init__("a folder", lambda: FolderStore(original.replica), seconds=10)
        self._change = change
        self._times_left = times

    async def list(self, prefix: str) -> list[StoredObject]:
        listing = await super().list(prefix)
        if self._times_left:
            self._times_left -= 1
            await in_thread(self._change)
        return listing


async def test_a_file_that_is_there_is_never_overwritten(copied: Original, tmp_path: Path) -> None:
    target = tmp_path / "there.db"
    target.write_text("mine")
    with pytest.raises(BackupError, match=r"there\.db already exists and .* name another file"):
        await fetch(open_store(copied.replica), copied.replica, target)
    assert target.read_text() == "mine"


async def test_a_folder_that_is_not_there_is_said(copied: Original, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="check that its folder exists, is writable and has room"):
        await fetch(open_store(copied.replica), copied.replica, tmp_path / "nowhere" / "x.db")


async def test_an_empty_place_is_no_backup(place: StoragePlace, tmp_path: Path) -> None:
    with pytest.raises(NoBackup, match=r"holds no replica of Litestream 0\.3: check the address"):
        await fetch(open_store(place.replica), place.replica, tmp_path / "x.db")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def spoil(path: Path) -> None:
    """As LZ4 it is well, and what is in it is not."""
    data = bytearray(lz4.frame.decompress(path.read_bytes()))
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(lz4.frame.compress(bytes(data)))


def tear(path: Path) -> None:
    """Its second page as it never was beside the others."""
    data = bytearray(lz4.frame.decompress(path.read_bytes()))
    data[4096:8192] = data[:4096]
    path.write_bytes(lz4.frame.compress(bytes(data)))


@pytest.mark.parametrize(
    ("damage", "what", "sentence"),
    [
        (flip, "snapshot", "is damaged"),
        (truncate, "snapshot", "ends too early"),
        (empty, "snapshot", "is empty"),
        (flip, "segment", "is damaged"),
        (truncate, "segment", "ends too early"),
        (empty, "segment", "is empty"),
        (spoil, "segment", r"is damaged, SQLite accepts \d+ of its \d+ pages"),
        (Path.unlink, "segment", r"Bytes \d+ to \d+ of the log are missing before .*\.wal\.lz4"),
        (Path.unlink, "log", r"has nothing of WAL [0-9a-f]{8} before byte \d+"),
        (Path.unlink, "snapshots", "has no snapshot, and its changes are useless without one"),
    ],
)
async def test_damage_has_its_sentence_and_leaves_nothing_behind(
    copied: Original, tmp_path: Path, damage: Callable[[Path], None], what: str, sentence: str
) -> None:
    chosen = await planned(copied)
    segment = a_middle_segment(chosen)
    damaged = {
        "snapshot": [Path(chosen.snapshot.stored.key)],
        "segment": [segment],
        "log": [Path(chosen.segments[0].stored.key)],
        "snapshots": snapshots(copied),
    }[what]
    for each in damaged:
        damage(each)
    before = left_in(tmp_path)
    with pytest.raises(RestoreFailed, match=sentence):
        await fetch(open_store(copied.replica), copied.replica, tmp_path / "x.db")
    assert left_in(tmp_path) == before


async def test_a_gap_that_litestream_ignores_is_reported(copied: Original, tmp_path: Path) -> None:
    segment = a_middle_segment(await planned(copied))
    segment.unlink()
    assert copied.restore(tmp_path / "theirs.db")
    (sentence,) = await missing_pieces(open_store(copied.replica), copied.replica)
    assert re.fullmatch(rf"Bytes \d+ to \d+ of the log are missing before {segment.parent}/.+\.", sentence)


async def test_a_gap_in_an_outdated_listing_is_no_gap(copied: Original) -> None:
    segment = a_middle_segment(await planned(copied))
    elsewhere = copied.folder / "elsewhere"
    segment.rename(elsewhere)

    def put_back() -> None:
        elsewhere.rename(segment)

    assert await missing_pieces(_Changing(copied, put_back), copied.replica) == []


async def test_before_the_hole_everything_can_be_had(copied: Original, tmp_path: Path) -> None:
    segment = a_middle_segment(await planned(copied))
    stored_at = datetime.fromtimestamp(segment.stat().st_mtime, UTC)
    segment.unlink()
    await fetch(open_store(copied.replica), copied.replica, tmp_path / "x.db", at=stored_at - timedelta(microseconds=1))
    assert contents(tmp_path / "x.db")


async def test_a_snapshot_alone_is_what_lz4_and_sqlite_make_of_it(original: Original, tmp_path: Path) -> None:
    with closing(sqlite3.connect(original.database)) as connection, connection:
        connection.executemany("INSERT INTO things (name) VALUES (?)", [(str(number),) for number in range(300)])
    store = open_store(original.replica)
    with original.replicating():
        fetched = await when_there(lambda: fetch(store, original.replica, tmp_path / "x.db", snapshot_only=True))
    await store.download(fetched.plan.snapshot.stored, tmp_path / "production_snapshot.lz4")
    guide = lz4.frame.decompress((tmp_path / "production_snapshot.lz4").read_bytes())
    assert (tmp_path / "x.db").read_bytes() == guide
    assert len(contents(tmp_path / "x.db")) == 300
    assert fetched.warning is not None
    assert "everything after it is missing" in fetched.warning


async def test_a_torn_snapshot_alone_says_that_it_is_torn(copied: Original, tmp_path: Path) -> None:
    tear(*snapshots(copied))
    with pytest.raises(RestoreFailed, match=r"The snapshot is torn\. .*: fetch it without --snapshot-only"):
        await fetch(open_store(copied.replica), copied.replica, tmp_path / "x.db", snapshot_only=True)
    assert not (tmp_path / "x.db").exists()


async def when_there(get: Callable[[], Awaitable[Fetched]]) -> Fetched:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            return await get()
        except NoBackup:
            assert time.monotonic() < deadline


def snapshots(original: Original) -> list[Path]:
    return list(Path(original.replica.path).rglob("*.snapshot.lz4"))


def moment(original: Original, folder: Path) -> Original:
    """The replica as it is now: snapshots first, as a log is stored after its snapshot."""
    for pattern in ("*.snapshot.lz4", "*.wal.lz4"):
        for file in Path(original.replica.path).rglob(pattern):
            target = folder / "db" / file.relative_to(original.replica.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
    return Original(original.database, Replica(StorageKind.FILE, str(folder / "db")), folder)


def is_sound(database: Path) -> bool:
    try:
        return bool(contents(database))
    except sqlite3.DatabaseError:
        return False
