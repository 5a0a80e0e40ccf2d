"""Two starts on one replica, as in every rollout: one after the other, never together."""

import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from dispinmap.database.verify import verify
from tests.backup.conftest import StoragePlace, usual_pairs
from tests.backup.container import PATIENCE, Container, carries, comment, posted, rows, running, watch
from tests.backup.load import until_written, writing, written
from tests.fakes.fast_clock import FastClock
from tests.fakes.services import patient_services

ROWS = 50


@usual_pairs
async def test_the_second_bot_waits_for_the_first_and_the_other_way_round(
    place: StoragePlace, binary: Path, tmp_path: Path
) -> None:
    clock = FastClock(time.time())
    async with patient_services(clock) as services:
        # On this clock ten seconds: a machine that stands still for five must not give the lease away.
        old, new = (
            Container(services, clock, tmp_path / name, place, binary, LEASE_SECONDS="600") for name in ("old", "new")
        )
        channel_id = services.seed.pinball.id
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(running(old))
            await old.logged("lease_acquired")
            await stack.enter_async_context(running(new))
            await old.until_ready()
            await watch(services)
            expected = [comment(services, 1)]
            await services.discord.wait_for_message(channel_id, carries(expected[-1]), PATIENCE)
            await new.logged("waiting_for_lease")
            waiting = await new.ready()
            assert waiting["ready"] is False
            assert "lease" in str(waiting["faults"])
            # The page is public: it names neither the backup nor the machine that holds it.
            assert not [each for each in (place.replica.lease_path, "in use by") if each in str(waiting)]
            assert not new.database.exists()
            with writing(old.database) as before:
                await until_written(before, ROWS)
            assert await old.stop() == 0

            await new.until_ready()
            assert rows(new.database, "SELECT COUNT(*) FROM monitoring_targets") == [(1,)]
            assert written(new.database) == list(range(len(before)))
            expected.append(comment(services, 2))
            await services.discord.wait_for_message(channel_id, carries(expected[-1]), PATIENCE)
            await old.start()
            with writing(new.database) as after:
                await until_written(after, ROWS)
                safe = len(after)
                await new.until_replicated()
                await new.kill()

            # The old disk still has its database, which is not the newest any more.
            await old.until_ready()
            expected.append(comment(services, 3))
            await services.discord.wait_for_message(channel_id, carries(expected[-1]), PATIENCE)
            assert posted(services) == Counter(expected)
            assert list(old.database.parent.glob("pinball_bot.db.set-aside-*"))
            # The first bot's rows all, and the second's up to about a second before it was killed.
            kept = written(old.database)
            assert kept == [*range(len(before)), *range(len(kept) - len(before))]
            assert len(before) + safe <= len(kept) <= len(before) + len(after)
            assert verify(f"sqlite:///{old.database}") == []
