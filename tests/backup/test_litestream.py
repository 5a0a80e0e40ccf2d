"""Both Litestreams on every kind of storage: restored, listed, waited for."""

from pathlib import Path

import pytest

from dispinmap.backup.errors import NoBackup
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.clock import SystemClock
from tests.backup.conftest import StoragePlace
from tests.backup.running import running
from tests.backup.writing import configuration, count, rows


@pytest.fixture
async def litestream(binary: Path) -> Litestream:
    return await find_litestream(binary, SystemClock())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source.db"


async def test_what_was_committed_before_a_sync_outlives_a_killed_litestream(
    litestream: Litestream, place: StoragePlace, source: Path, tmp_path: Path
) -> None:
    settings = configuration(place.replica, litestream.format, source)
    with rows(source) as table:
        for written in range(5, 20, 5):
            async with running(litestream, settings) as replication:
                # 0.3 begins a generation with what was written meanwhile, and S3 dates generations by the second.
                assert await replication.synced(10)
                table.write(5)
                assert await replication.synced(10)
            copy = tmp_path / f"copy{written}.db"
            await litestream.restore(settings, copy)
            assert count(copy) == written


async def test_an_empty_place_holds_no_backup(
    litestream: Litestream, place: StoragePlace, source: Path, tmp_path: Path
) -> None:
    settings = configuration(place.replica, litestream.format, source)
    with pytest.raises(NoBackup, match="finds no backup in"):
        await litestream.restore(settings, tmp_path / "copy.db")
    assert await litestream.points(settings) == []
    assert not (tmp_path / "copy.db").exists()
