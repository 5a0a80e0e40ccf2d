"""A running Litestream: what happens if it dies, if we die, or if its database is replaced."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dispinmap.backup.errors import BackupError
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.litestream.process import RunningLitestream
from dispinmap.backup.models import Configuration, Format, StorageKind
from tests.backup.conftest import StoragePlace, storage_place
from tests.backup.outage import gate
from tests.backup.running import running
from tests.backup.writing import configuration, count, names, rows

DEADLINE = 60.0


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source.db"


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> StoragePlace:
    return storage_place(StorageKind.FILE, request, tmp_path)


@pytest.fixture
def settings(litestream: Litestream, folder: StoragePlace, source: Path) -> Configuration:
    return configuration(folder.replica, litestream.format, source)


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not happened():  # noqa: ASYNC110 -- the state of another process sets no event here
            await asyncio.sleep(0.02)


def pid_of(replication: RunningLitestream) -> int:
    return replication._process.pid if replication._process else 0


def alive(pid: int) -> bool:
    """Whether the process is running; a zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_litestream_that_dies_is_started_again_and_catches_up(
    litestream: Litestream, settings: Configuration, source: Path, tmp_path: Path
) -> None:
    with rows(source) as table:
        async with running(litestream, settings) as replication:
            assert isinstance(replication, RunningLitestream)
            assert await replication.synced(DEADLINE)
            os.kill(pid_of(replication), signal.SIGKILL)
            await until(lambda: replication.problem is not None)
            assert "ended with code -9" in str(replication.problem)
            table.write(4)
            assert await replication.synced(DEADLINE)
            await until(lambda: replication.problem is None)
            assert replication.restarts == 1
            assert replication.caught_up_at is not None
    await litestream.restore(settings, tmp_path / "copy.db")
    assert count(tmp_path / "copy.db") == 4


async def test_a_restart_on_the_same_disk_is_nothing_to_warn_of(
    litestream: Litestream, settings: Configuration, source: Path
) -> None:
    with capture_logs() as logs:
        for _ in range(2):
            with rows(source) as table:
                table.write(4)
                async with running(litestream, settings) as replication:
                    assert isinstance(replication, RunningLitestream)
                    # What is slow is warned of too.
                    replication.behind_seconds = DEADLINE
                    table.write(4)
                    assert await replication.synced(DEADLINE)
                    assert await replication.stop(DEADLINE)
    assert [log for log in logs if log["log_level"] in ("warning", "error")] == []


async def test_cancelling_kills_it_at_once_and_leaves_nothing_behind(
    litestream: Litestream, settings: Configuration, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "tmp"
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))
    with rows(source):
        async with running(litestream, settings) as replication:
            assert isinstance(replication, RunningLitestream)
            assert await replication.synced(DEADLINE)
            pid = pid_of(replication)
            (file,) = private.glob("*/litestream.yml")
            assert file.stat().st_mode & 0o777 == 0o600
            assert file.parent.stat().st_mode & 0o777 == 0o700
            assert os.getsid(pid) != os.getsid(0)
    assert not alive(pid)
    assert names(private) == []


async def test_another_file_in_the_databases_place_ends_replication(
    litestream: Litestream, settings: Configuration, source: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    with rows(source), rows(other):
        replication = litestream.replicate(settings)
        assert isinstance(replication, RunningLitestream)
        task = asyncio.create_task(replication.run())
        assert await replication.synced(DEADLINE)
        pid = pid_of(replication)
        other.rename(source)
        with pytest.raises(BackupError, match="Another file was put in the place"):
            await task
        assert not alive(pid)


async def test_a_database_that_vanishes_ends_replication(
    litestream: Litestream, settings: Configuration, source: Path
) -> None:
    with rows(source):
        replication = litestream.replicate(settings)
        task = asyncio.create_task(replication.run())
        assert await replication.synced(DEADLINE)
        await asyncio.to_thread(source.unlink)
        with pytest.raises(BackupError, match="cannot be replicated"):
            await task


_PARENT = """
import asyncio, sys
from pathlib import Path
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.models import Configuration, Format, Replica, StorageKind
from dispinmap.clock import SystemClock
from tests.backup.writing import configuration

async def main(binary, source, replica):
    litestream = await find_litestream(Path(binary), SystemClock())
    settings = configuration(Replica(StorageKind.FILE, replica), litestream.format, Path(source))
    replication = litestream.replicate(settings)
    task = asyncio.create_task(replication.run())
    assert await replication.synced(60)
    Path(source).with_name("pid").write_text(str(replication._process.pid))
    await task

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
async def test_it_dies_with_a_parent_that_is_killed(
    binary: Path, source: Path, folder: StoragePlace, tmp_path: Path
) -> None:
    with rows(source):
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PARENT, str(binary), str(source), folder.replica.path),
            cwd=Path(__file__).parents[2],
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=asyncio.subprocess.DEVNULL,
        )
        said = source.with_name("pid")
        await until(lambda: said.exists() and said.read_text() != "")
        pid = int(said.read_text())
        assert alive(pid)
        parent.kill()
        await parent.wait()
        await until(lambda: not alive(pid))


@pytest.fixture
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> StoragePlace:
    return storage_place(StorageKind.S3, request, tmp_path)


async def test_an_outage_is_a_problem_but_does_not_prevent_a_stop(
    litestream: Litestream, bucket: StoragePlace, source: Path, tmp_path: Path
) -> None:
    assert bucket.replica.endpoint is not None
    async with gate(bucket.replica.endpoint) as way:
        settings = configuration(replace(bucket.replica, endpoint=way.address), litestream.format, source)
        with rows(source) as table:
            async with running(litestream, settings) as replication:
                assert isinstance(replication, RunningLitestream)
                assert await replication.synced(DEADLINE)
                await way.shut()
                table.write(3)
                # Not before: a slow look at what was there already would be a problem too, and soon over.
                replication.behind_seconds = 1.0
                assert not await replication.synced(0.3)
                await until(lambda: replication.problem is not None)
                assert "has been behind" in str(replication.problem)
                await way.open()
                # Nothing is written from here on: Litestream has to come back by itself.
                await until(lambda: replication.problem is None)
                await litestream.restore(settings, tmp_path / "copy.db")
                assert count(tmp_path / "copy.db") == 3
                await way.shut()
                table.write(1)
                # 0.5 tries for five seconds, and says so; 0.3 may try for ever.
                with capture_logs() as logs:
                    async with asyncio.timeout(DEADLINE):
                        assert not await replication.stop(1.0)
                killed = "litestream_killed" in [entry["event"] for entry in logs]
                assert killed or litestream.format is Format.V0_3


async def test_watching_an_idle_database_asks_nothing_of_the_storage(
    litestream: Litestream, bucket: StoragePlace, source: Path
) -> None:
    assert bucket.replica.endpoint is not None
    async with gate(bucket.replica.endpoint) as way:
        settings = configuration(replace(bucket.replica, endpoint=way.address), litestream.format, source)
        with rows(source) as table:
            table.write(3)
            async with running(litestream, settings) as replication:
                assert isinstance(replication, RunningLitestream)
                assert await replication.synced(DEADLINE)
                # What Litestream asks by itself every now and then can fall into one of them.
                assert 0 in [await _asked(replication, lambda: way.asked) for _ in range(3)]


async def _asked(replication: RunningLitestream, traffic: Callable[[], int]) -> int:
    """How many bytes twenty checks of the progress send."""
    await _quiet(traffic)
    before = traffic()
    for _ in range(20):
        await replication._progress.caught_up(hurry=True)
    return traffic() - before


async def _quiet(traffic: Callable[[], int]) -> None:
    """Wait for what each start does: 0.5 compacts and makes a snapshot after a second."""
    last, since = traffic(), time.monotonic()
    while time.monotonic() - since < 1.5:
        await asyncio.sleep(0.05)
        if traffic() != last:
            last, since = traffic(), time.monotonic()
