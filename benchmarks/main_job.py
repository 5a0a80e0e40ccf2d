"""The two figures of the main job, measured on the real bot between the embedded services.

`python -m benchmarks.main_job` prints how many requests Pinball Map gets in an hour, and how long a notification takes
from the feed request that saw its submission to the message in the channel, with the time of a bare Discord post on
the same machine for comparison.
"""

import asyncio
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import structlog
from sqlalchemy import insert

from dispinmap.database.engine import Database
from dispinmap.database.tables import ChannelConfigRow, MonitoringTargetRow
from dispinmap_sandbox.services import DISCORD_TOKEN
from tests.fakes.stage import Stage, open_stage, shown
from tests.fakes.values import GROUND_KONTROL

CHANNELS, TARGETS = 100, 10
MINUTES = 120
NOTIFICATIONS = 30
MONSTER_BASH = 641


async def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with TemporaryDirectory() as folder:
        async with open_stage(Path(folder) / "requests.db") as stage:
            await requests_per_minute(stage)
        async with open_stage(Path(folder) / "latency.db") as stage:
            await latency(stage)


async def requests_per_minute(stage: Stage) -> None:
    """100 channels with 10 targets each at default rates, for two hours of the bot's time."""
    await stage.start_bot()
    await _fill(stage)
    server = stage.services.pinballmap
    first = asyncio.ensure_future(server.next_request("user_submissions.json"))
    stage.pass_time(60 * 60)
    await first
    before = sum(server.requests.values())
    for _ in range(MINUTES):
        stage.pass_time(60)
        await _settled(stage)
    asked = sum(server.requests.values()) - before
    rate = asked / MINUTES
    print(f"{CHANNELS} channels x {TARGETS} targets: {asked} requests in {MINUTES} minutes, {rate:.3f} a minute")


async def _fill(stage: Stage) -> None:
    now = stage.clock.now()
    channels = [{"channel_id": 10**6 + n, "guild_id": stage.services.seed.guild.id} for n in range(CHANNELS)]
    targets = [
        {
            "channel_id": channel["channel_id"],
            "target_type": "location",
            "target_name": f"Location {number}",
            "location_id": 5000 + number,
            "poll_rate_minutes": None,
            "notification_types": None,
            "created_at": now,
            "last_checked_at": now,
        }
        for channel in channels
        for number in range(TARGETS)
    ]
    database = Database(stage.database_url)
    async with database.write() as session:
        await session.execute(insert(ChannelConfigRow), channels)
        await session.execute(insert(MonitoringTargetRow), targets)
    await database.close()


async def _settled(stage: Stage) -> None:
    """Give the loops, which the wound clock has woken, the time to do their work."""
    await stage.command("monitor_health")


async def latency(stage: Stage) -> None:
    """From the feed request to the message, for a due 1-minute target."""
    await stage.start_bot()
    await stage.command("add location", name=str(GROUND_KONTROL))
    await stage.command("notifications", kind="all")
    await stage.command("poll_rate", minutes="1")
    seconds = [await _one_notification(stage) for _ in range(NOTIFICATIONS)]
    bare = [await _bare_post(stage) for _ in range(NOTIFICATIONS)]
    print(
        f"feed request to message, {NOTIFICATIONS} times: median {statistics.median(seconds):.3f} s, "
        f"worst {max(seconds):.3f} s; {statistics.median(seconds) / statistics.median(bare):.1f} x a bare post"
    )


async def _one_notification(stage: Stage) -> float:
    row = stage.services.world.comment(GROUND_KONTROL, MONSTER_BASH, "Plays well.")
    request = asyncio.ensure_future(stage.services.pinballmap.next_request("user_submissions.json"))
    await asyncio.sleep(0)
    with stage.services.discord.subscribe() as events:
        stage.pass_time(60)
        await request
        began = time.perf_counter()
        while (message := (await events.get()).message) is None or row.id not in shown(message):
            pass
        return time.perf_counter() - began


async def _bare_post(stage: Stage) -> float:
    began = time.perf_counter()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {DISCORD_TOKEN}"}) as session:
        url = f"{stage.services.discord.api_base}/channels/{stage.services.seed.news.id}/messages"
        async with session.post(url, json={"content": "x"}) as response:
            response.raise_for_status()
    return time.perf_counter() - began


if __name__ == "__main__":
    asyncio.run(main())
