"""One measurement of the real poller, in a process of its own so that nothing else costs it time or memory.

`python -m benchmarks.polling MEASUREMENT DATABASE BASE_URL` prints its figures as JSON. `benchmarks.polls` starts it.
"""

import asyncio
import gc
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Final

import structlog

from benchmarks.crowd import START
from dispinmap.database.engine import Database
from dispinmap.feed.poller import Poller
from dispinmap.http import open_session
from dispinmap.pinballmap.client import PinballMapClient
from tests.fakes.clock import ManualClock
from tests.fakes.pipeline import MINUTE, WINDOW

WARM_UP: Final = 4
"""Polls before the measured ones: both ways to ask, with statements and connections that are then known."""
ROUNDS: Final = 20
POLL_SECONDS: Final = 300
TICK_SECONDS: Final = 0.001
NOISE_SECONDS: Final = 2.0

Figures = dict[str, float]


class Bot:
    """The poller on a database file; every turn is a poll that is due."""

    def __init__(self, path: Path, poller: Poller, clock: ManualClock) -> None:
        self.path = path
        self.poller = poller
        self.clock = clock

    async def turn(self) -> None:
        """A poll, and as many steps as it needs to read a gap to its end."""
        self.clock.advance(POLL_SECONDS)
        while not await self.poller.step():
            pass

    async def warm_up(self) -> None:
        for _ in range(WARM_UP):
            await self.turn()

    def empty_log(self) -> None:
        """Move SQLite's log into the file."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def log_bytes(self) -> int:
        """How long SQLite's log is."""
        return self.path.with_name(f"{self.path.name}-wal").stat().st_size


class Stopwatch:
    """Seconds of the clock on the wall and of the process, all threads together."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    @property
    def wall(self) -> float:
        return time.perf_counter() - self._wall

    @property
    def cpu(self) -> float:
        return time.process_time() - self._cpu


async def start(bot: Bot) -> Figures:
    """The very first poll after the targets came: it works out their map cells."""
    watch = Stopwatch()
    await bot.poller.step()
    return {"first_poll_s": watch.wall}


async def idle(bot: Bot) -> Figures:
    """Polls that bring nothing."""
    await bot.warm_up()
    bot.empty_log()
    before = mebibytes("VmRSS")
    walls, cpus = [], []
    for _ in range(ROUNDS):
        watch = Stopwatch()
        await bot.turn()
        walls.append(watch.wall)
        cpus.append(watch.cpu)
    after, log_bytes = mebibytes("VmRSS"), bot.log_bytes()
    return {
        "idle_cpu_ms": 1000 * statistics.median(cpus),
        "idle_wall_ms": 1000 * statistics.median(walls),
        "idle_memory_mib": after - before,
        "idle_log_bytes": log_bytes / ROUNDS,
    }


async def blocked(bot: Bot) -> Figures:
    """For how long the event loop does nothing else: while asleep, in idle polls, and in one with a page of news."""
    await bot.warm_up()
    asleep, _ = await longest_gap(lambda: asyncio.sleep(NOISE_SECONDS))

    async def polls() -> None:
        for _ in range(ROUNDS):
            await bot.turn()

    idle_gap, idle_cpu = await longest_gap(polls)
    page_gap, page_cpu = await longest_gap(bot.turn)
    return {
        "blocked_asleep_ms": asleep,
        "blocked_idle_ms": idle_gap,
        "blocked_idle_cpu_ms": idle_cpu,
        "blocked_page_ms": page_gap,
        "blocked_page_cpu_ms": page_cpu,
        "notifications": notifications(bot.path),
    }


async def page(bot: Bot) -> Figures:
    """A page of news: from the request to the last commit, and how much memory that takes."""
    await bot.warm_up()
    before = mebibytes("VmRSS")
    forget_most()
    watch = Stopwatch()
    await bot.turn()
    return {
        "page_wall_s": watch.wall,
        "page_cpu_s": watch.cpu,
        "page_memory_mib": mebibytes("VmHWM") - before,
        "notifications": notifications(bot.path),
    }


async def single(bot: Bot) -> Figures:
    """Polls that bring one submission each."""
    await bot.warm_up()
    await bot.turn()  # the first one with news, whose statements are not known yet
    cpus, walls = [], []
    already = notifications(bot.path)
    for _ in range(ROUNDS):
        watch = Stopwatch()
        await bot.turn()
        walls.append(watch.wall)
        cpus.append(watch.cpu)
    return {
        "single_cpu_ms": 1000 * statistics.median(cpus),
        "single_wall_ms": 1000 * statistics.median(walls),
        "matches": (notifications(bot.path) - already) / ROUNDS,
    }


MEASUREMENTS: Final[dict[str, Callable[[Bot], Awaitable[Figures]]]] = {
    "start": start,
    "idle": idle,
    "blocked": blocked,
    "page": page,
    "single": single,
}


async def longest_gap(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """The longest time, in ms, that a task which wants to run every ms had to wait while `work` ran.

    First by the clock on the wall, which other programs and threads lengthen, then by the CPU of the loop's own thread.
    """
    longest = longest_cpu = 0.0

    async def tick() -> None:
        nonlocal longest, longest_cpu
        while True:
            began, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK_SECONDS)
            longest = max(longest, time.perf_counter() - began - TICK_SECONDS)
            longest_cpu = max(longest_cpu, time.thread_time() - cpu)

    ticking = asyncio.create_task(tick())
    await work()
    ticking.cancel()
    with suppress(asyncio.CancelledError):
        await ticking
    return 1000 * longest, 1000 * longest_cpu


def mebibytes(name: str) -> float:
    """This process's resident memory: "VmRSS" now, "VmHWM" the most so far."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024


def forget_most() -> None:
    """Let the kernel begin VmHWM again from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def notifications(path: Path) -> int:
    """How many there are."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM notifications").fetchone()[0])


@asynccontextmanager
async def running(path: Path, base_url: str) -> AsyncIterator[Bot]:
    """The bot's poller with the real client; nothing but its database tells it what was before."""
    clock = ManualClock(START)
    # Litestream empties SQLite's log in production; here the log just grows, so that its bytes can be counted.
    database = Database(f"sqlite:///{path}", checkpoints=False)
    try:
        async with open_session() as session:
            client = PinballMapClient(session, base_url, None, clock, requests_per_minute=60_000)
            poller = Poller(
                client, database, clock, shortest_interval=MINUTE, settle_window=WINDOW, wake_sender=lambda: None
            )
            await poller.begin()
            yield Bot(path, poller, clock)
    finally:
        await database.close()


async def main(measurement: str, path: str, base_url: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    gc.freeze()  # as `dispinmap run` does after its imports
    async with running(Path(path), base_url) as bot:
        figures = await MEASUREMENTS[measurement](bot)
    print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
