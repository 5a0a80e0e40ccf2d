"""Every kind of storage behaves the same behind its interface."""

import asyncio
import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispinmap.backup.errors import Conflict, StorageRefused, StorageUnreachable
from dispinmap.backup.models import StorageKind
from dispinmap.backup.storage.open import open_store
from dispinmap.backup.storage.store import Store
from dispinmap.backup.storage.threaded import ThreadedStore
from tests.backup.conftest import StoragePlace
from tests.backup.test_storage_refusals import GCS, answering

SECONDS = 60.0
BIG = bytes(range(256)) * 40_000
"""More than the libraries read at a time."""


@pytest.fixture
def store(place: StoragePlace) -> Store:
    return open_store(place.replica, seconds=SECONDS)


@pytest.fixture
def key(place: StoragePlace) -> str:
    return f"{place.replica.path}/generations/0123456789abcdef/wal/one"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


async def test_nothing_there_is_an_empty_list_and_no_object(store: Store, place: StoragePlace, key: str) -> None:
    assert await store.list(place.replica.path) == []
    assert await store.read(key) is None


async def test_a_folder_that_somebody_made_in_the_console_is_empty(store: Store, place: StoragePlace) -> None:
    if place.replica.kind is StorageKind.FILE:
        pytest.skip("a folder is no object there")
    await store.write(f"{place.replica.path}/", b"", replacing=None)
    assert await store.list(place.replica.path) == []


async def test_what_is_written_is_read_listed_and_downloaded(
    store: Store, place: StoragePlace, key: str, tmp_path: Path
) -> None:
    version = await store.write(key, BIG, replacing=None)
    content = await store.read(key)
    (found,) = await store.list(place.replica.path)
    await store.download(found, tmp_path / "copy")
    assert content is not None
    assert (content.data, content.version) == (BIG, version)
    assert (found.key, found.size) == (key, len(BIG))
    assert abs(found.updated_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert (tmp_path / "copy").read_bytes() == BIG
    assert files(tmp_path) == ["copy"]


async def test_an_empty_object_is_downloaded_as_an_empty_file(
    store: Store, place: StoragePlace, key: str, tmp_path: Path
) -> None:
    await store.write(key, b"", replacing=None)
    (found,) = await store.list(place.replica.path)
    await store.download(found, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b""


async def test_what_was_deleted_since_it_was_listed_is_not_downloaded(
    store: Store, place: StoragePlace, key: str, tmp_path: Path
) -> None:
    await store.write(key, b"listed", replacing=None)
    (found,) = await store.list(place.replica.path)
    gone = replace(found, key=f"{found.key}-gone")
    with pytest.raises(Conflict, match=r"one-gone was .* deleted after .*: list the backup again"):
        await store.download(gone, tmp_path / "copy")
    assert files(tmp_path) == []


async def test_what_was_overwritten_since_it_was_listed_is_not_downloaded(
    store: Store, place: StoragePlace, key: str, tmp_path: Path
) -> None:
    version = await store.write(key, b"listed", replacing=None)
    (found,) = await store.list(place.replica.path)
    await store.write(key, b"later!", replacing=version)
    with pytest.raises(Conflict):
        await store.download(found, tmp_path / "copy")
    assert files(tmp_path) == []


async def test_an_object_overwritten_during_its_download_is_never_mixed(place: StoragePlace, key: str) -> None:
    store = open_store(place.replica, seconds=SECONDS)
    assert isinstance(store, ThreadedStore)
    version = await store.write(key, BIG, replacing=None)
    (found,) = await store.list(place.replica.path)
    chunks = (await store._open()).chunks(found)
    first = await asyncio.to_thread(next, chunks)
    await store.write(key, BIG[::-1] + BIG, replacing=version)
    try:
        rest = await asyncio.to_thread(b"".join, chunks)
    except Conflict:
        assert place.replica.kind is StorageKind.GCS
    else:
        assert first + rest == BIG


async def test_a_listing_is_sorted_and_stops_at_the_path(store: Store, place: StoragePlace) -> None:
    path = place.replica.path
    for key in (f"{path}/b/2", f"{path}-v5/ltx/1", f"{path}.lease", f"{path}/a", f"{path}/b/1"):
        await store.write(key, b"x", replacing=None)
    assert [each.key for each in await store.list(path)] == [f"{path}/a", f"{path}/b/1", f"{path}/b/2"]
    assert [each.key for each in await store.list(f"{path}/b")] == [f"{path}/b/1", f"{path}/b/2"]


async def test_an_object_moved_to_a_cheaper_class_is_as_old_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored, moved = "2026-03-01T12:00:00.123Z", "2026-04-01T00:00:00.000Z"
    old = {"name": "db/old", "size": "1", "generation": "1", "timeCreated": stored, "updated": moved}
    async with answering(200, json.dumps({"items": [old]})) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        (found,) = await open_store(GCS, seconds=SECONDS).list("db")
    assert found.updated_at == datetime.fromisoformat(stored)


async def test_an_object_that_is_there_is_not_written_as_a_new_one(store: Store, key: str) -> None:
    await store.write(key, b"first", replacing=None)
    with pytest.raises(Conflict, match="someone else"):
        await store.write(key, b"second", replacing=None)
    content = await store.read(key)
    assert content is not None
    assert content.data == b"first"


async def test_only_the_version_that_was_read_is_replaced(store: Store, key: str) -> None:
    first = await store.write(key, b"first", replacing=None)
    second = await store.write(key, b"second", replacing=first)
    with pytest.raises(Conflict):
        await store.write(key, b"third", replacing=first)
    content = await store.read(key)
    assert content is not None
    assert (content.data, content.version) == (b"second", second)


async def test_an_object_that_is_gone_is_not_replaced(store: Store, place: StoragePlace, key: str) -> None:
    version = await store.write(key, b"first", replacing=None)
    with pytest.raises(Conflict):
        await store.write(f"{place.replica.path}/other", b"second", replacing=version)


async def test_of_many_that_write_the_same_object_at_once_one_succeeds(place: StoragePlace, key: str) -> None:
    async def write(number: int) -> bool:
        try:
            await open_store(place.replica, seconds=SECONDS).write(key, f"{number}".encode(), replacing=None)
        except Conflict:
            return False
        return True

    if place.replica.kind is StorageKind.S3:
        pytest.skip("moto looks at the condition and writes in two steps: only the real service is atomic")
    assert sum(await asyncio.gather(*map(write, range(8)))) == 1


async def test_a_missing_bucket_or_folder_is_refused_with_its_name(place: StoragePlace, tmp_path: Path) -> None:
    path = str(tmp_path / "unmounted" / "db") if place.replica.kind is StorageKind.FILE else place.replica.path
    replica = replace(place.replica, path=path, bucket=place.replica.bucket and "no-such-bucket")
    store = open_store(replica, seconds=SECONDS)
    name = "no-such-bucket" if replica.bucket else "unmounted"
    with pytest.raises(StorageRefused, match=rf"no (bucket|folder) .*{name}.*(create|mount)"):
        await store.list(path)
    with pytest.raises(StorageRefused, match=name):
        await store.read(f"{path}/one")
    with pytest.raises(StorageRefused, match=name):
        await store.write(f"{path}/one", b"x", replacing=None)


async def test_storage_that_is_down_is_unreachable_in_time(
    place: StoragePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place.replica.kind is StorageKind.FILE:
        pytest.skip("a folder has no server")
    with socket.socket() as reserved:
        # Bound but not listening: no one else gets the port, and no one answers.
        reserved.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", dead)
        store = open_store(replace(place.replica, endpoint=dead), seconds=0.5)
        # The first call loads the library.
        async with asyncio.timeout(45):
            with pytest.raises(StorageUnreachable, match="check the network"):
                await store.list("db")
            with pytest.raises(StorageUnreachable):
                await store.write("db/one", b"x", replacing=None)
