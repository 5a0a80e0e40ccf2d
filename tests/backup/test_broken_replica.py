"""A damaged replica never leads to an empty start, nor to an outdated one if we can know."""

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import web

from dispinmap.backup.errors import BackupError
from dispinmap.backup.inspection import inspect_file
from dispinmap.backup.lease.open import open_lease
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Format, LeaseRecord, Replica, StorageKind
from dispinmap.backup.place import BackupPlace
from dispinmap.backup.restore import Restored, restore_newest
from dispinmap.backup.storage.open import open_store
from dispinmap.clock import SystemClock
from tests.backup.conftest import BINARIES, StoragePlace, storage_place
from tests.backup.hasty_clock import HastyClock
from tests.backup.stored import (
    NOON,
    Objects,
    Stored,
    changed,
    changes,
    flipped,
    halved,
    put,
    replicated,
    snapshots,
    without,
)
from tests.backup.writing import configuration

Damage = Callable[[Objects], Objects]


@dataclass(frozen=True)
class Fault:
    """How a replica was damaged, and what the refusal must say."""

    damage: Damage
    words: str


FAULTS = {
    "a snapshot with a byte flipped": Fault(
        lambda whole: changed(whole, snapshots(whole)[0], flipped), "could not use|damaged"
    ),
    "a snapshot cut short": Fault(lambda whole: changed(whole, snapshots(whole)[0], halved), "could not use|too early"),
    "a snapshot missing": Fault(lambda whole: without(whole, snapshots(whole)[0]), "no whole backup|could not use"),
    "a middle segment with a byte flipped": Fault(
        lambda whole: changed(whole, changes(whole)[2], flipped), "could not use|damaged"
    ),
    "a middle segment cut short": Fault(
        lambda whole: changed(whole, changes(whole)[2], halved), "could not use|too early"
    ),
    "a middle segment missing": Fault(
        lambda whole: without(whole, changes(whole)[2]), "non-contiguous|are missing before"
    ),
    "the last segment missing": Fault(
        lambda whole: without(whole, changes(whole)[-1]), "is not the newest state.*ends at 2026-03-01 12:04:00"
    ),
    "the last segment cut short": Fault(
        lambda whole: changed(whole, changes(whole)[-1], halved), "could not use|too early"
    ),
    "the last segment emptied": Fault(
        lambda whole: changed(whole, changes(whole)[-1], lambda _: b""), "could not use|is empty"
    ),
    "everything missing": Fault(lambda _: {}, "now nothing is there"),
}


LEASE_KNOWS = {"the last segment missing", "everything missing"}
"""Faults that we notice only if the lease knows the previous bot."""


@pytest.fixture
async def litestream(binary: Path) -> Litestream:
    return await find_litestream(binary, SystemClock())


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> dict[Format, Stored]:
    """One of each version, made once."""
    found = {}
    for form, binary in BINARIES.items():
        folder = tmp_path_factory.mktemp("made")
        database = Path(shutil.copy(migrated_file, folder / "bot.db"))
        found[form] = asyncio.run(_made(binary, database, folder))
    return found


async def _made(binary: Path, database: Path, folder: Path) -> Stored:
    return await replicated(await find_litestream(binary, SystemClock()), database, folder)


class Scene:
    """An empty disk, and a backup that may be broken."""

    def __init__(self, litestream: Litestream, replica: Replica, disk: Path, stored: Stored) -> None:
        disk.mkdir()
        self.litestream = litestream
        self.replica = replica
        self.database = disk / "bot.db"
        self.stored = stored
        self.store = open_store(replica, seconds=5)

    async def put(self, objects: Objects) -> None:
        await put(objects, self.store, self.replica, self.litestream.format)

    def move_to(self, replica: Replica) -> None:
        self.replica = replica
        self.store = open_store(replica, seconds=1)

    async def restore_newest(self, *, known: bool = True) -> Restored | None:
        """`known`: whether the lease knows the previous writer and its last heartbeat."""
        previous = LeaseRecord("us", "here", NOON, 60, True, "them", self.stored.last_beat_at) if known else None
        clock = HastyClock()
        settings = configuration(self.replica, self.litestream.format, self.database)
        lease = open_lease(self.replica, self.store, clock, seconds=60)
        place = BackupPlace(settings, self.litestream, self.store, lease)
        return await restore_newest(place, previous=previous, allow_empty=False, clock=clock, seconds=20, attempts=2)

    async def refusal(self, *, known: bool = True) -> str:
        with pytest.raises(BackupError) as caught:
            await self.restore_newest(known=known)
        assert list(self.database.parent.iterdir()) == []
        return str(caught.value)


@pytest.fixture
def scene(litestream: Litestream, place: StoragePlace, tmp_path: Path, replicas: dict[Format, Stored]) -> Scene:
    return Scene(litestream, place.replica, tmp_path / "disk", replicas[litestream.format])


@pytest.fixture(params=[StorageKind.GCS, StorageKind.S3])
def bucket(
    request: pytest.FixtureRequest, litestream: Litestream, tmp_path: Path, replicas: dict[Format, Stored]
) -> Scene:
    place = storage_place(request.param, request, tmp_path)
    return Scene(litestream, place.replica, tmp_path / "disk", replicas[litestream.format])


@pytest.fixture
def folder(
    request: pytest.FixtureRequest, litestream: Litestream, tmp_path: Path, replicas: dict[Format, Stored]
) -> Scene:
    place = storage_place(StorageKind.FILE, request, tmp_path)
    return Scene(litestream, place.replica, tmp_path / "disk", replicas[litestream.format])


async def test_a_whole_replica_comes_back_to_its_last_row(scene: Scene) -> None:
    await scene.put(scene.stored.objects)
    restored = await scene.restore_newest()
    assert restored is not None
    found = inspect_file(scene.database)
    assert found.problems == ()
    assert found.heartbeat is not None
    assert found.heartbeat.beat_at == scene.stored.last_beat_at
    assert [each.name for each in scene.database.parent.iterdir()] == ["bot.db"]


@pytest.mark.parametrize("name", FAULTS)
async def test_a_broken_replica_stops_the_start_with_its_sentence(folder: Scene, name: str) -> None:
    await _refused(folder, name)


@pytest.mark.parametrize("name", ["a middle segment missing", "everything missing"])
async def test_missing_objects_stop_the_start(bucket: Scene, name: str) -> None:
    await _refused(bucket, name)


async def _refused(scene: Scene, name: str) -> None:
    await scene.put(FAULTS[name].damage(scene.stored.objects))
    sentence = await scene.refusal(known=name in LEASE_KNOWS)
    assert re.search(FAULTS[name].words, sentence), sentence
    assert str(scene.replica) in sentence


async def test_a_bucket_that_is_not_there_is_no_proof_of_anything(scene: Scene) -> None:
    if scene.replica.kind is StorageKind.FILE:
        scene.move_to(replace(scene.replica, path=str(Path(scene.replica.path) / "not" / "mounted")))
    else:
        scene.move_to(replace(scene.replica, bucket="no-such-bucket"))
    sentence = await scene.refusal(known=False)
    assert str(scene.replica) in sentence


async def test_storage_that_is_down_is_no_proof_of_anything(bucket: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as reserved:
        # Bound but not listening: no one else gets the port, and no one answers.
        reserved.bind(("127.0.0.1", 0))
        _point_at(bucket, f"http://127.0.0.1:{reserved.getsockname()[1]}", monkeypatch)
        assert str(bucket.replica) in await bucket.refusal(known=False)


async def test_storage_that_gives_no_permission_is_no_proof_of_anything(
    bucket: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with forbidding(bucket.replica.kind) as address:
        _point_at(bucket, address, monkeypatch)
        assert str(bucket.replica) in await bucket.refusal(known=False)


async def test_a_replica_s_folder_that_is_a_file_is_no_proof_of_anything(folder: Scene) -> None:
    await asyncio.to_thread(Path(folder.replica.path).touch)
    assert "cannot be used" in await folder.refusal(known=False)


def _point_at(scene: Scene, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if scene.replica.kind is StorageKind.S3:
        scene.move_to(replace(scene.replica, endpoint=address))
    else:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)


@asynccontextmanager
async def forbidding(kind: StorageKind) -> AsyncIterator[str]:
    """A server that refuses, as Google's and Amazon's do."""
    amazon = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
    google = '{"error": {"code": 403, "message": "does not have storage.objects.list access", "errors": []}}'
    body, content_type = (amazon, "application/xml") if kind is StorageKind.S3 else (google, "application/json")

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=403, text=body, content_type=content_type)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
