"""Restarts, on the same disk and on a fresh one in turn, keep everything committed before SIGTERM."""

import shutil
import time
from pathlib import Path

from dispinmap_sandbox.services import embedded_services
from tests.backup.conftest import LONG, StoragePlace, usual_pairs
from tests.backup.container import Container, running
from tests.backup.load import until_written, writing, written
from tests.fakes.fast_clock import FastClock

ROWS = 50
FACTOR = 6.0
"""With a faster clock a bot that stands still for three seconds would lose its lease and could not sync."""
CYCLES = 41 if LONG else 3
"""Every second start is on a fresh disk but the first: 20 restores, or one."""


@usual_pairs
async def test_restarts_under_load_lose_nothing(place: StoragePlace, binary: Path, tmp_path: Path) -> None:
    clock = FastClock(time.time(), FACTOR)
    total = 0
    async with embedded_services(clock) as services:
        for cycle in range(CYCLES):
            bot = Container(services, clock, tmp_path / "disk", place, binary)
            async with running(bot):
                await bot.until_ready()
                assert len(written(bot.database)) == total
                with writing(bot.database) as committed:
                    await until_written(committed, ROWS)
                total += len(committed)
                assert await bot.stop() == 0
            assert len(written(bot.database)) == total
            if cycle % 2:
                shutil.rmtree(bot.database.parent)
