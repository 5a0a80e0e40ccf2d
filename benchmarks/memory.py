"""How much memory the bot takes and how soon it is ready, measured from outside.

`python -m benchmarks.memory` runs the embedded services in this process and the real bot in one of its own. It prints
the seconds from the start of the process to `/ready`, and the resident memory: idle with a database at head, then in
1,000 servers with 10 targets each, then after 200 and after 1,000 more polls, of which every twentieth brings news. It
ends with code 1 if one of the figures is above what we promise.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

import aiohttp
from sqlalchemy import insert

from dispinmap.database.engine import Database
from dispinmap.database.tables import ChannelConfigRow, MonitoringTargetRow
from dispinmap_sandbox.discord.permissions import Permission
from dispinmap_sandbox.services import EmbeddedServices, embedded_services
from tests.fakes.fast_clock import FastClock
from tests.fakes.values import GROUND_KONTROL

STARTS = 5
SERVERS, TARGETS = 1_000, 10
CHANNELS, ROLES = 20, 8
"""Of each server, as an ordinary one has: every fourth channel with a rule of its own about who may read it."""
WARM_UP, POLLS, NEWS_EVERY = 200, 1_000, 20
POLL_MINUTES = 1
FACTOR = 600.0
"""Of the fast clock: a poll every 0.1 s."""
SETTLE_SECONDS = 3.0
"""After `/ready`, for what a start leaves to do."""
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.02
"""Between two questions whether it is ready: each takes the bot some milliseconds, in which it does not start."""
MONSTER_BASH = 641
PROMISED = {"start_seconds": 1.0, "idle_mib": 85.0, "servers_mib": 110.0, "most_mib": 110.0}
GROWTH_MIB = 3.0
"""By which the memory after the polls may exceed that of a bot which has polled and posted for a while."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds to `/ready` (median, and the slowest), and MiB of resident memory."""

    start_seconds: float
    slowest_start_seconds: float
    idle_mib: float
    servers_mib: float
    warm_mib: float
    polled_mib: float
    most_mib: float

    def __str__(self) -> str:
        return (
            f"ready after {self.start_seconds:.2f} s (median of {STARTS}, {self.slowest_start_seconds:.2f} at most)\n"
            f"idle: {self.idle_mib:.0f} MiB\n"
            f"{SERVERS:,} servers x {TARGETS} targets: {self.servers_mib:.0f} MiB\n"
            f"after {WARM_UP} polls: {self.warm_mib:.0f} MiB; after {POLLS:,} more: {self.polled_mib:.0f} MiB; "
            f"{self.most_mib:.0f} MiB at most since the start"
        )


class Bot:
    """One process of `dispinmap run`."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self._port = port

    async def until_ready(self) -> None:
        """Wait until `/ready` says so."""
        async with asyncio.timeout(PATIENCE_SECONDS), aiohttp.ClientSession() as session:
            while not await self._is_ready(session):
                if self._process.returncode is not None:
                    raise RuntimeError(f"the bot ended with {self._process.returncode}")
                await asyncio.sleep(PAUSE_SECONDS)

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{self._port}/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectorError:
            return False

    def mebibytes(self, name: str = "VmRSS") -> float:
        """What the kernel counts as resident, or with "VmHWM" the most so far."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024


async def main() -> None:
    figures = await measure()
    print(figures)
    missed = [each.name for each in fields(figures) if getattr(figures, each.name) >= PROMISED.get(each.name, 1e9)]
    if missed or figures.polled_mib > figures.warm_mib + GROWTH_MIB:
        sys.exit(f"More than promised: {', '.join(missed) or 'grows with the polls'}.")


async def measure() -> Figures:
    """Start the bot a few times on a small database, then once in many servers."""
    with TemporaryDirectory() as folder:
        starts, idle = await _starts(Path(folder) / "idle.db")
        return await _in_many_servers(Path(folder) / "servers.db", starts, idle)


async def _starts(database: Path) -> tuple[list[float], float]:
    """Seconds of each start, and MiB when idle. A first start, which creates the database, does not count."""
    seconds = []
    async with embedded_services(FastClock(time.time(), 1.0)) as services:
        for _ in range(STARTS + 1):
            began = time.perf_counter()
            async with running(services, database, "-m", "dispinmap", "run") as bot:
                await bot.until_ready()
                seconds.append(time.perf_counter() - began)
                if len(seconds) > STARTS:
                    await asyncio.sleep(SETTLE_SECONDS)
                    return seconds[1:], bot.mebibytes()
    raise AssertionError("unreachable")


async def _in_many_servers(database: Path, starts: list[float], idle: float) -> Figures:
    clock = FastClock(time.time(), FACTOR)
    async with embedded_services(clock) as services:
        async with running(services, database, "-m", "dispinmap", "run") as bot:
            await bot.until_ready()
        await fill(services, database)
        async with running(services, database, "-m", "benchmarks.hasty_bot", str(clock.origin), str(FACTOR)) as bot:
            await bot.until_ready()
            await asyncio.sleep(SETTLE_SECONDS)
            servers = bot.mebibytes()
            await _polls(services, WARM_UP)
            warm = bot.mebibytes()
            await _polls(services, POLLS)
            return Figures(
                start_seconds=statistics.median(starts),
                slowest_start_seconds=max(starts),
                idle_mib=idle,
                servers_mib=servers,
                warm_mib=warm,
                polled_mib=bot.mebibytes(),
                most_mib=bot.mebibytes("VmHWM"),
            )


async def fill(services: EmbeddedServices, database: Path) -> None:
    """Servers in the embedded Discord, and targets in one channel of each."""
    discord, now = services.discord, services.clock.now()
    channels, targets = [], []
    for number in range(SERVERS):
        guild = await discord.add_guild(f"Pinball friends of place {number}")
        for role in range(ROLES):
            discord.add_role(guild.id, f"Role {role}")
        for place in range(CHANNELS):
            channel = discord.add_channel(guild.id, f"channel-{place}-of-{number}")
            if place % 4 == 0:
                discord.allow(channel.id, Permission.VIEW_CHANNEL)
        channels.append({"channel_id": channel.id, "guild_id": guild.id})
        targets += [
            {
                "channel_id": channel.id,
                "target_type": "location",
                "target_name": f"Location {target}",
                "location_id": 5000 + number * TARGETS + target if target else GROUND_KONTROL,
                "poll_rate_minutes": POLL_MINUTES,
                "notification_types": "all" if number < 10 else None,
                "created_at": now,
                "last_checked_at": now,
            }
            for target in range(TARGETS)
        ]
    opened = Database(f"sqlite:///{database}")
    async with opened.write() as session:
        await session.execute(insert(ChannelConfigRow), channels)
        await session.execute(insert(MonitoringTargetRow), targets)
    await opened.close()


async def _polls(services: EmbeddedServices, polls: int) -> None:
    """Let that many polls pass, some with a comment that ten channels get."""
    for number in range(polls):
        if number % NEWS_EVERY == 0:
            services.world.comment(GROUND_KONTROL, MONSTER_BASH, f"Plays well, game {number}.")
        await services.pinballmap.next_request("user_submissions.json")


@asynccontextmanager
async def running(services: EmbeddedServices, database: Path, *command: str) -> AsyncIterator[Bot]:
    """The bot with this command line of Python, ended at the end of the block."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        **services.environment,
        "SQLALCHEMY_URL": f"sqlite:///{database}",
        "PORT": str(port),
        "LOG_LEVEL": "WARNING",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, *command, env=environment)
    try:
        yield Bot(process, port)
    finally:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(main())
