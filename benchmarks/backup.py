"""What a disaster costs, and how long a start takes, with the real Litestreams on loopback storage.

`python -m benchmarks.backup losses` prints for every version and storage how much was lost when everything was killed
under load and the disk was gone; `starts` for a file replica the seconds from the start of the process on an empty
disk to `/ready`, with nothing to restore and with a database of 100 MB, and beside that what the machine needs for
`litestream restore` alone; without a word both. It ends with code 1 where a median start takes longer than we promise.
"""

import asyncio
import logging
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from dispinmap.backup.models import Format, Replica, StorageKind
from dispinmap_sandbox.services import EmbeddedServices, embedded_services
from tests.backup.conftest import BINARIES, StoragePlace
from tests.backup.container import Container
from tests.backup.load import writing, written
from tests.fakes.fast_clock import FastClock
from tests.fakes.object_stores import AWS_ENVIRONMENT, create_gcs_bucket, create_s3_bucket, gcs_server, s3_server

KILLS = 5
STARTS = 5
MEGABYTES = 100
LOAD_SECONDS = 4.0
EMPTY_START_SECONDS = 3.0
RESTORING_START_SECONDS = 5.0


async def main() -> None:
    os.environ.update(AWS_ENVIRONMENT)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        make = stack.enter_context(places(folder))
        clock = FastClock(time.time(), 1.0)
        async with embedded_services(clock) as services:
            bench = Bench(services, clock, folder)
            wanted = sys.argv[1:] or ["losses", "starts"]
            for version, binary in BINARIES.items() if "losses" in wanted else ():
                for kind in StorageKind:
                    await bench.losses(f"{version} {kind}", binary, partial(make, kind))
            for version, binary in BINARIES.items() if "starts" in wanted else ():
                await bench.starts(version, binary, make)
    if bench.slow:
        sys.exit(f"Slower than promised: {', '.join(bench.slow)}.")


@contextmanager
def places(folder: Path) -> Iterator[Callable[[StorageKind], StoragePlace]]:
    """A maker of fresh, empty places of each kind."""
    with gcs_server() as gcs, s3_server() as s3:
        os.environ["STORAGE_EMULATOR_HOST"] = gcs

        def make(kind: StorageKind) -> StoragePlace:
            name = f"bucket-{uuid4().hex[:12]}"
            if kind is StorageKind.GCS:
                create_gcs_bucket(gcs, name)
                return StoragePlace(Replica(kind, "db", name), f"gcs://{name}/db")
            if kind is StorageKind.S3:
                create_s3_bucket(s3, name)
                url = f"s3://{name}/db?endpoint={s3}&region=us-east-1&forcePathStyle=true"
                return StoragePlace(Replica(kind, "db", name, s3, "us-east-1", force_path_style=True), url)
            (folder / name).mkdir()
            return StoragePlace(Replica(kind, str(folder / name / "db")), f"file://{folder / name / 'db'}")

        yield make


class Bench:
    """The real bot in a process of its own, between the embedded services."""

    def __init__(self, services: EmbeddedServices, clock: FastClock, folder: Path) -> None:
        self._services = services
        self._clock = clock
        self._folder = folder
        self.slow: list[str] = []

    async def losses(self, name: str, binary: Path, make: Callable[[], StoragePlace]) -> None:
        """Kill bot and Litestream under 50 transactions a second, delete the disk, and count what comes back."""
        # Kills at one moment of Litestream's second would always cost the same.
        loads = [LOAD_SECONDS + each / KILLS for each in range(KILLS)]
        results = [await self._loss(binary, make(), seconds) for seconds in loads]
        rows = sorted(each[0] for each in results)
        seconds = [each[1] for each in results]
        print(f"{name}: lost {rows} rows; {max(seconds):.2f} s at worst, {statistics.mean(seconds):.2f} s on average")

    async def _loss(self, binary: Path, place: StoragePlace, seconds: float) -> tuple[int, float]:
        bot = self._bot(binary, place, LEASE_SECONDS="5")
        await bot.start()
        await bot.until_ready()
        with writing(bot.database) as committed:
            await asyncio.sleep(seconds)
            await bot.kill()
            killed = time.monotonic()
        done = [moment for moment in committed if moment <= killed]
        bot = self._bot(binary, place, LEASE_SECONDS="5")
        await bot.start()
        await bot.until_ready()
        kept = len(written(bot.database))
        await bot.stop()
        return len(done) - kept, killed - done[kept - 1]

    async def starts(self, version: Format, binary: Path, make: Callable[[StorageKind], StoragePlace]) -> None:
        """Seconds to ready, on a file replica."""
        times = [await self._empty_start(binary, make(StorageKind.FILE)) for _ in range(STARTS)]
        print(
            f"{version} file, nothing to restore: ready in {statistics.median(times):.2f} s, {max(times):.2f} at most"
        )
        if statistics.median(times) > EMPTY_START_SECONDS:
            self.slow.append(f"{version} with nothing to restore")
        place = make(StorageKind.FILE)
        await self._replicate_large(binary, make(StorageKind.FILE), place)
        storage = Path(place.replica.path).parent
        saved = storage.with_name(f"{storage.name}-saved")
        storage.rename(saved)
        restored, alone = [], []
        for _ in range(STARTS):
            # Litestream 0.5 uploads all anew in each start, and merges that with what was there only after a while.
            shutil.rmtree(storage, ignore_errors=True)
            shutil.copytree(saved, storage)
            alone.append(self._restore_alone(binary, place))
            restored.append(await self._empty_start(binary, place))
        print(
            f"{version} file, {MEGABYTES} MB to restore: ready after {statistics.median(restored):.2f} s, "
            f"{max(restored):.2f} at most (litestream restore alone: {statistics.median(alone):.2f} s)"
        )
        if statistics.median(restored) > RESTORING_START_SECONDS:
            self.slow.append(f"{version} with {MEGABYTES} MB to restore")

    async def _replicate_large(self, binary: Path, first: StoragePlace, place: StoragePlace) -> None:
        """A backup as months of running leave it: a snapshot of it all, and little after it."""
        bot = self._bot(binary, first)
        await self._timed(bot)
        await bot.stop()
        fill(bot.database)
        shutil.rmtree(bot.database.with_name(f".{bot.database.name}-litestream"))
        bot = self._container(binary, place)
        await self._timed(bot)
        await bot.stop()

    async def _empty_start(self, binary: Path, place: StoragePlace) -> float:
        """With an empty disk."""
        bot = self._bot(binary, place)
        seconds = await self._timed(bot)
        await bot.stop()
        return seconds

    async def _timed(self, bot: Container) -> float:
        started = time.monotonic()
        await bot.start()
        await bot.until_ready()
        return time.monotonic() - started

    def _restore_alone(self, binary: Path, place: StoragePlace) -> float:
        target = self._folder / "alone.db"
        started = time.monotonic()
        subprocess.run([binary, "restore", "-o", target, place.url], check=True, capture_output=True)  # noqa: S603
        seconds = time.monotonic() - started
        target.unlink()
        return seconds

    def _bot(self, binary: Path, place: StoragePlace, **more: str) -> Container:
        """A bot on an empty disk."""
        shutil.rmtree(self._folder / "disk", ignore_errors=True)
        return self._container(binary, place, **more)

    def _container(self, binary: Path, place: StoragePlace, **more: str) -> Container:
        bot = Container(self._services, self._clock, self._folder / "disk", place, binary, **more)
        bot.command = (sys.executable, "-m", "dispinmap", "start")
        return bot


def fill(database: Path) -> None:
    """Make it `MEGABYTES` large with what a bot has most of: submissions."""
    with closing(sqlite3.connect(database, timeout=5)) as connection:
        number = 0
        while connection.execute("PRAGMA page_count").fetchone()[0] * 4096 < MEGABYTES * 1e6:
            with connection:
                connection.executemany(
                    "INSERT INTO submissions (id, submission_type, created_at, comment, fed_at)"
                    " VALUES (?, 'new_condition', '2026-01-01 00:00:00', ?, '2026-01-01 00:00:00')",
                    [(10**9 + number + each, os.urandom(100).hex()) for each in range(20_000)],
                )
            number += 20_000


if __name__ == "__main__":
    asyncio.run(main())
