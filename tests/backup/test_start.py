"""`dispinmap start` from outside: what it says, when it stops, and what it never does."""

import asyncio
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from dispinmap.backup.models import Replica, StorageKind
from dispinmap_sandbox.services import EmbeddedServices
from tests.backup.conftest import StoragePlace
from tests.backup.container import Container, running, watch
from tests.fakes.fast_clock import FastClock
from tests.fakes.object_stores import create_gcs_bucket, gcs_server
from tests.fakes.services import patient_services


@pytest.fixture
def clock() -> FastClock:
    return FastClock(time.time())


@pytest.fixture
async def services(clock: FastClock) -> AsyncIterator[EmbeddedServices]:
    async with patient_services(clock) as services:
        yield services


@pytest.fixture
def folder_place(tmp_path: Path) -> StoragePlace:
    path = tmp_path / "replica" / "db"
    path.parent.mkdir()
    return StoragePlace(Replica(StorageKind.FILE, str(path)), f"file://{path}")


async def test_storage_that_is_down_does_not_hold_up_the_stop(
    services: EmbeddedServices, clock: FastClock, binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gcs_server() as address:
        create_gcs_bucket(address, "backups")
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        place = StoragePlace(Replica(StorageKind.GCS, "db", "backups"), "gcs://backups/db")
        bot = Container(services, clock, tmp_path / "disk", place, binary, LEASE_SECONDS="600")
        await bot.start()
        await bot.until_ready()
    try:
        assert await bot.stop() == 0
        assert any(event["event"] == "final_sync_failed" for event in bot.events)
    finally:
        await bot.kill()


async def test_a_database_swapped_under_the_bot_stops_it(
    services: EmbeddedServices, clock: FastClock, binary: Path, tmp_path: Path, folder_place: StoragePlace
) -> None:
    bot = Container(services, clock, tmp_path / "disk", folder_place, binary)
    async with running(bot):
        await bot.until_ready()
        await watch(services)
        await bot.until_replicated()
        other = tmp_path / "other.db"
        with closing(sqlite3.connect(other)) as connection:
            connection.execute("CREATE TABLE other (id INTEGER)")
        other.replace(bot.database)
        assert await bot.wait() == 1
        assert "database" in str(bot.events[-1]["event"])
    await bot.start()
    try:
        await bot.until_ready()
        assert list(bot.database.parent.glob("pinball_bot.db.set-aside-*"))
    finally:
        await bot.kill()


async def test_without_a_place_for_the_backup_it_says_what_to_set(services: EmbeddedServices, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dispinmap", "start"),
        cwd=tmp_path,
        env={**services.environment, "LITESTREAM_PATH": str(tmp_path / "bot.db"), "PORT": "0"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert said.decode().startswith("Nothing says where the backup is to be: set LITESTREAM_BUCKET")
