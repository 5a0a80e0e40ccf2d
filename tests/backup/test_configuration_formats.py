"""Both formats in every storage are found, distinguished and never mixed."""

import asyncio
import sqlite3
from asyncio.subprocess import DEVNULL
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispinmap.backup.configuration.effective import make_configuration
from dispinmap.backup.errors import BackupError
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.litestream03.formats import formats_in, refuse_mixed_formats, stored_formats
from dispinmap.backup.models import Configuration, Format, Replica, StorageKind
from dispinmap.backup.storage.open import open_store
from dispinmap.backup.storage.store import StoredObject
from dispinmap.clock import SystemClock
from tests.backup.conftest import PROJECT, StoragePlace, storage_place

V3, V5 = Format.V0_3, Format.V0_5
GENERATION = "generations/0123456789abcdef/snapshots/00000000.snapshot.lz4"
CHANGES = "0000000000000001-0000000000000001.ltx"


@pytest.mark.parametrize(
    ("keys", "formats"),
    [
        ([], set()),
        (["db/ltx/0", "db/notes.txt", "db/2024/photo.jpg", "db/generations"], set()),
        ([f"db/{GENERATION}"], {V3}),
        ([f"db/ltx/0/{CHANGES}"], {V5}),
        ([f"db/0000/{CHANGES}"], {V5}),
        ([f"db/{GENERATION}", f"db/ltx/9/{CHANGES}"], {V3, V5}),
    ],
)
def test_a_format_is_told_by_its_keys(keys: list[str], formats: set[Format]) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert formats_in([StoredObject(key, 1, now, "1") for key in keys], "db") == formats


def make_database(folder: Path) -> Path:
    path = folder / "bot.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO rows VALUES (1)")
    return path


def at(configuration: Configuration, version: Format, path: str) -> Configuration:
    """The same for a version, at another path."""
    return make_configuration(version, configuration.database, replace(configuration.replica, path=path), "a test")


async def refusal(configuration: Configuration) -> str:
    with pytest.raises(BackupError) as error:
        await refuse_mixed_formats(configuration, open_store(configuration.replica))
    return str(error.value)


async def test_neither_version_uses_a_path_at_or_beside_the_others_data(
    place: StoragePlace, binary: Path, tmp_path: Path
) -> None:
    litestream = await find_litestream(binary, SystemClock())
    ours, (other,) = litestream.format, set(Format) - {litestream.format}
    own_path = place.replica.path if ours is V3 else f"{place.replica.path}-v5"
    replica = replace(place.replica, path=own_path)
    configuration = make_configuration(ours, make_database(tmp_path), replica, "a test")
    store = open_store(replica)
    await refuse_mixed_formats(configuration, store)
    await litestream.replicate_once(configuration)

    assert await stored_formats(store, own_path) == {ours}
    await refuse_mixed_formats(configuration, store)
    here = await refusal(at(configuration, other, own_path))
    assert f"{replica} holds a backup that Litestream {ours} wrote" in here
    beside = await refusal(at(configuration, other, place.replica.path if ours is V5 else f"{own_path}-v5"))
    if ours is V3:
        assert "`dispinmap backup upgrade-format`" in here
        assert "is empty" in beside
        assert "`dispinmap backup upgrade-format`" in beside
    else:
        assert "dispinmap[litestream05]" in here
        assert "silently restore an older state" in beside


async def test_0_5_goes_on_beside_the_0_3_backup_that_it_has_taken_along(tmp_path: Path) -> None:
    old, new = tmp_path / "db", tmp_path / "db-v5"
    for file in (old / GENERATION, new / "ltx" / "0" / CHANGES):
        file.parent.mkdir(parents=True)
        file.touch()
    configuration = make_configuration(V5, tmp_path / "bot.db", Replica(StorageKind.FILE, str(new)), "a test")
    store = open_store(configuration.replica)
    await refuse_mixed_formats(configuration, store)
    assert "older state" in await refusal(at(configuration, V3, str(old)))


async def test_the_projects_own_file_replicates_and_restores_as_written(
    binary: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    replica = storage_place(StorageKind.GCS, request, tmp_path).replica
    version = (await find_litestream(binary, SystemClock())).format
    file = PROJECT / ("litestream.yml" if version is V3 else "litestream-0.5.yml")
    database, restored = make_database(tmp_path), tmp_path / "restored.db"
    monkeypatch.setenv("LITESTREAM_PATH", str(database))
    monkeypatch.setenv("LITESTREAM_BUCKET", str(replica.bucket))
    store, path = open_store(replica), "db" if version is V3 else "db-v5"
    running = await asyncio.create_subprocess_exec(binary, "replicate", "-config", file, stdout=DEVNULL)
    try:
        async with asyncio.timeout(60):
            while await stored_formats(store, path) != {version}:
                pass
            running.terminate()
            await running.wait()
    finally:
        if running.returncode is None:
            running.kill()
    command = (binary, "restore", "-config", file, "-o", restored, database)
    restoring = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
    async with asyncio.timeout(60):
        assert await restoring.wait() == 0
    with closing(sqlite3.connect(restored)) as connection:
        assert connection.execute("SELECT id FROM rows").fetchall() == [(1,)]
