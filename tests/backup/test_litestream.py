"""Both versions of Litestream on every kind of storage: sync, stop, restore, list."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispinmap.backup.errors import BackupError, NoBackup, RestoreFailed
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Configuration, StorageKind
from tests.backup.conftest import StoragePlace
from tests.backup.running import running
from tests.backup.writing import configuration, count, names, rows


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source.db"


@pytest.fixture
def settings(litestream: Litestream, place: StoragePlace, source: Path) -> Configuration:
    return configuration(place.replica, litestream.format, source)


async def test_commits_before_a_sync_survive_a_killed_litestream(
    litestream: Litestream, settings: Configuration, source: Path, tmp_path: Path
) -> None:
    with rows(source) as table:
        for written in range(5, 15, 5):
            async with running(litestream, settings) as replication:
                # 0.3 begins a new generation with these writes, and S3 has times in whole seconds.
                assert await replication.synced(60)
                table.write(5)
                assert await replication.synced(60)
            copy = tmp_path / f"copy{written}.db"
            await litestream.restore(settings, copy)
            assert count(copy) == written


async def test_a_stop_uploads_everything_committed_before(
    litestream: Litestream, settings: Configuration, source: Path, tmp_path: Path
) -> None:
    async with running(litestream, settings) as replication:
        with rows(source) as table:
            table.write(3)
            assert await replication.synced(60)
            table.write(4)
        assert await replication.synced(60)
        assert await replication.stop(60)
    await litestream.restore(settings, tmp_path / "copy.db")
    assert count(tmp_path / "copy.db") == 7
    assert names(tmp_path, "copy") == ["copy.db"]


async def test_an_earlier_state_is_restored_by_its_time_and_listed_with_it(
    litestream: Litestream, settings: Configuration, source: Path, tmp_path: Path
) -> None:
    with rows(source) as table:
        table.write(4)
        await litestream.replicate_once(settings)
    # S3 dates objects by the second, so the next state has to be of another one.
    await asyncio.sleep(1 - time.time() % 1)
    at = datetime.now(UTC)
    await asyncio.sleep(1)
    with rows(source) as table:
        table.write(5)
        await litestream.replicate_once(settings)
    points = await litestream.points(settings)
    assert [point.created_at for point in points] == sorted((p.created_at for p in points), reverse=True)
    assert points[-1].created_at <= at < points[0].created_at
    await litestream.restore(settings, tmp_path / "old.db", at=at)
    assert count(tmp_path / "old.db") == 4
    with pytest.raises(NoBackup, match="from the given time"):
        await litestream.restore(settings, tmp_path / "ancient.db", at=datetime(2020, 1, 1, tzinfo=UTC))


async def test_an_empty_place_holds_no_backup(
    litestream: Litestream, settings: Configuration, place: StoragePlace, tmp_path: Path
) -> None:
    with pytest.raises(NoBackup, match="finds no backup in"):
        await litestream.restore(settings, tmp_path / "copy.db")
    assert await litestream.points(settings) == []
    assert names(tmp_path) == ["replica"] * (place.replica.kind is StorageKind.FILE)


async def test_a_file_that_is_there_is_never_restored_over(
    litestream: Litestream, settings: Configuration, tmp_path: Path
) -> None:
    target = tmp_path / "kept.db"
    target.write_text("kept")
    with pytest.raises(RestoreFailed, match="already exists"):
        await litestream.restore(settings, target)
    assert target.read_text() == "kept"


async def test_a_database_that_is_not_there_is_not_replicated(litestream: Litestream, settings: Configuration) -> None:
    with pytest.raises(BackupError, match="cannot be replicated"):
        await litestream.replicate_once(settings, seconds=10)
