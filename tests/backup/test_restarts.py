"""A fresh disk at every start: what was committed before SIGTERM is there after it."""

import os
import shutil
import time
from pathlib import Path

import pytest

from dispinmap.sandbox.services import embedded_services
from tests.backup.conftest import StoragePlace
from tests.backup.container import Container, running
from tests.backup.load import writing, written
from tests.fakes.fast_clock import FastClock

CYCLES = 20 if os.environ.get("EVERY_CYCLE") else 2


@pytest.mark.parametrize("fresh_disk", [True, False], ids=["fresh disk", "same disk"])
async def test_restart_cycles_under_load_lose_nothing(
    place: StoragePlace, binary: Path, tmp_path: Path, *, fresh_disk: bool
) -> None:
    clock = FastClock(time.time())
    total = 0
    async with embedded_services(clock) as services:
        for _ in range(CYCLES):
            bot = Container(services, clock, tmp_path / "disk", place, binary)
            async with running(bot):
                await bot.until_ready()
                assert len(written(bot.database)) == total
                with writing(bot.database) as committed:
                    await services.pinballmap.next_request("user_submissions.json")
                total += len(committed)
                assert await bot.stop() == 0
            assert len(written(bot.database)) == total
            if fresh_disk:
                shutil.rmtree(bot.database.parent)
