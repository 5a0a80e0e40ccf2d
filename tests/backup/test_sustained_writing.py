"""A replica stays complete during sustained writing, while we ask Litestream for its progress."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from dispinmap.backup.configuration.effective import make_configuration
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import StorageKind
from dispinmap.database.engine import Database
from tests.backup.conftest import LONG, storage_place
from tests.backup.running import running
from tests.backup.writing import count

INSERT = text("INSERT INTO rows (at, words) VALUES ('noon', :words)")
ROWS = 10
PAUSE_SECONDS = 0.02
"""Litestream puts off its own checkpoint while the database is busy."""
SECONDS = 240 if LONG else 10
"""Some times the thousand pages after which SQLite moves its log into the file by itself."""


async def test_a_replica_made_during_sustained_writing_is_complete(
    litestream: Litestream, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = storage_place(StorageKind.FILE, request, tmp_path)
    file = tmp_path / "bot.db"
    settings = make_configuration(litestream.format, file, place.replica, "a test")
    database = Database(f"sqlite:///{file}", checkpoints=litestream.allows_checkpoints)
    try:
        async with database.write() as session:
            await session.execute(text("CREATE TABLE rows (id INTEGER PRIMARY KEY, at TEXT, words TEXT)"))
            await session.execute(text("CREATE INDEX by_time ON rows (at)"))
        async with running(litestream, settings) as replication:
            assert await replication.synced(60)
            until = asyncio.get_running_loop().time() + SECONDS
            written = 0
            while asyncio.get_running_loop().time() < until:
                async with database.write() as session:
                    await session.execute(INSERT, [{"words": str(number) * 300} for number in range(ROWS)])
                written += ROWS
                await asyncio.sleep(PAUSE_SECONDS)
            assert await replication.synced(60)
            await litestream.restore(settings, tmp_path / "restored.db")
    finally:
        await database.close()
    assert count(tmp_path / "restored.db") == written
