"""Everything is killed under load and the disk is lost: the next start has all but the last moment, posted once."""

import asyncio
import time
from collections import Counter
from pathlib import Path

from dispinmap.database.verify import verify
from tests.backup.conftest import StoragePlace
from tests.backup.container import PATIENCE, Container, carries, comment, execute, posted, rows, running, watch
from tests.backup.load import writing, written
from tests.fakes.fast_clock import FastClock
from tests.fakes.services import patient_services

BURSTS = 3
COMMENTS = 7


async def test_a_bot_killed_with_its_disk_comes_back_and_posts_nothing_twice(
    place: StoragePlace, binary: Path, tmp_path: Path
) -> None:
    clock = FastClock(time.time())
    async with patient_services(clock) as services:
        expected: list[int] = []
        bot = Container(services, clock, tmp_path / "disk", place, binary)
        async with running(bot):
            await bot.until_ready()
            await watch(services)
            # Else all of this run would be looked for in the channel anyway: its database is as good as restored.
            await asyncio.to_thread(execute, bot.database, "UPDATE heartbeat SET restored_at = NULL")
            await bot.until_replicated()
            with writing(bot.database) as committed:
                for burst in range(BURSTS):
                    # The last burst is what may be lost; all before it the bot said to be in the backup.
                    safe = len(committed)
                    await bot.until_replicated()
                    expected += [comment(services, COMMENTS * burst + number) for number in range(COMMENTS)]
                    await services.discord.wait_for_message(services.seed.pinball.id, carries(expected[-1]), PATIENCE)
                await bot.kill()
        lost = bot.database.parent.rename(tmp_path / "lost")
        expected += [comment(services, 100 + number) for number in range(COMMENTS)]
        again = Container(services, clock, tmp_path / "disk", place, binary)
        async with running(again):
            await again.until_ready()
            await services.discord.wait_for_message(services.seed.pinball.id, carries(expected[-1]), PATIENCE)
            await asyncio.wait_for(services.pinballmap.next_request("user_submissions.json"), PATIENCE)
            assert await again.stop() == 0
        assert posted(services) == Counter(expected)
        assert verify(f"sqlite:///{again.database}") == []
        kept = written(again.database)
        assert kept == list(range(len(kept)))
        assert 0 < safe <= len(kept) <= len(committed) == len(written(lost / "pinball_bot.db"))
        assert rows(again.database, "SELECT COUNT(*) FROM monitoring_targets") == [(1,)]
