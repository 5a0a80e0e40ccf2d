"""What a poll costs, over a thousand to a million targets.

`python -m benchmarks.polls` fills a database for each number of targets and lets the real poller ask an embedded
Pinball Map. The poller runs in a process of its own, so that only its processor time is counted. Measured are a poll
that brings nothing, a page of 199 new submissions that makes about 10,000 notifications, and one submission with 200
matches; beside them a poller that asks for every target, as simple bots do.
"""

import argparse
import asyncio
import json
import resource
import sqlite3
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog

from dispinmap.clock import SystemClock
from dispinmap.database.engine import Database
from dispinmap.database.upgrade import upgrade
from dispinmap.feed.poller import Poller
from dispinmap.http import open_session
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.models import Rows
from dispinmap.sandbox.pinballmap_server import PinballMapServer
from dispinmap.sandbox.world import World

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
PER_CHANNEL: Final = 10
CITIES: Final = 500
PAGE: Final = 199
"""New submissions in one answer of the feed: it holds 200 rows, and the last one is known, so that there is no gap."""
PAGE_TARGETS: Final = 10_000
MATCHES: Final = 200
"""Targets that the one submission of the matching figure is for, however many others there are."""
IDLE_POLLS: Final = 9
MATCHED_POLLS: Final = 5
REFERENCE_TARGETS: Final = 150
"""Measured; more would be refused by Pinball Map's limit of 180 requests a minute."""
UNLIMITED: Final = 1e9
FIRST_LOCATION: Final = 500_000
"""Above the ids of the embedded world."""
PORTLAND: Final = (45.52, -122.67)
TICK_SECONDS: Final = 0.001


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one poll: processor and wall time in ms, the longest time the event loop was blocked in ms, bytes written."""

    cpu: float
    wall: float
    blocked: float
    written: float
    notifications: float


@dataclass(frozen=True, slots=True)
class Figures:
    """For one number of targets. `mapping_seconds` is what working out all map cells took, once."""

    targets: int
    mapping_seconds: float
    idle: Cost
    page: Cost | None
    match: Cost
    resident_mib: float


@dataclass(frozen=True, slots=True)
class Reference:
    """What a poller that asks for each target costs a round."""

    targets: int
    requests: int
    cpu: float
    wall: float


async def main() -> None:
    arguments = _arguments()
    if arguments.child:
        await _child(*arguments.child)
        return
    for figures in [await measure(size) for size in arguments.targets]:
        print(shown(figures))
    print(shown_reference(await measure_reference()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--targets", type=int, nargs="+", default=SIZES)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def shown(figures: Figures) -> str:
    """One number of targets, as a line."""
    page = (
        f", a page with {figures.page.notifications:,} notifications {figures.page.wall / 1000:.2f} s,"
        f" blocked {figures.page.blocked:.0f} ms"
        if figures.page
        else ""
    )
    return (
        f"{figures.targets:>9,} targets: idle {figures.idle.cpu:.1f} ms CPU, {figures.idle.wall:.1f} ms,"
        f" loop blocked {figures.idle.blocked:.1f} ms, {figures.idle.written:,.0f} bytes written;"
        f" {figures.match.notifications} matches {figures.match.cpu:.1f} ms CPU, {figures.match.wall:.1f} ms,"
        f" blocked {figures.match.blocked:.1f} ms{page}"
        f"; {figures.resident_mib:.0f} MiB; cells of all areas {figures.mapping_seconds:.1f} s"
    )


def shown_reference(reference: Reference) -> str:
    return (
        f"asking for every target, {reference.targets:,} targets: {reference.requests:,} requests,"
        f" {reference.cpu / 1000:.1f} s CPU, {reference.wall / 1000:.1f} s a round"
    )


async def measure(targets: int) -> Figures:
    """Everything for one number of targets."""
    async with _asked(lambda file: _fill(file, targets)) as (world, child):
        mapping = (await child.poll()).wall / 1000
        idle = _median([await child.poll() for _ in range(IDLE_POLLS)])
        match = _median([await _after_news(world, child) for _ in range(MATCHED_POLLS)])
        resident = await child.resident_mib()
    page = await _page() if targets == PAGE_TARGETS else None
    return Figures(targets, mapping, idle, page, match, resident)


async def _page() -> Cost:
    """A full answer of new submissions, each of which 50 of 10,000 targets in 1,000 channels want."""
    async with _asked(_fill_for_page) as (world, child):
        await child.poll()
        now = datetime.now(UTC)
        world.inject([_comment(world.reserve_id(), FIRST_LOCATION + number, now) for number in range(PAGE)])
        return await child.poll()


async def _after_news(world: World, child: "Child") -> Cost:
    now = datetime.now(UTC)
    world.inject([_comment(world.reserve_id(), FIRST_LOCATION - 1, now, PORTLAND)])
    return await child.poll()


def _comment(id_: int, location_id: int, at: datetime, point: tuple[float, float] | None = None) -> dict[str, object]:
    latitude, longitude = point or (None, None)
    return {
        "id": id_,
        "submission_type": "new_condition",
        "created_at": at.isoformat(),
        "location_id": location_id,
        "location_name": "A place",
        "lat": latitude,
        "lon": longitude,
        "comment": "Plays well.",
    }


def _median(costs: Sequence[Cost]) -> Cost:
    """Each figure's median, but for the time blocked, of which the longest counts."""
    return Cost(
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.wall for cost in costs),
        max(cost.blocked for cost in costs),
        statistics.median(cost.written for cost in costs),
        costs[-1].notifications,
    )


# -- the database


def _cities() -> list[tuple[float, float]]:
    """Spread over the world, none of them near Portland."""
    points = [(float(lat), float(lon)) for lat in range(-50, 65, 4) for lon in range(-115, 180, 12)]
    return points[:CITIES]


def _targets(count: int) -> Iterator[tuple[int, str, str, int | None]]:
    """Channel, type, name and location id: `MATCHES` around Portland, four in ten of the rest on a location."""
    cities = _cities()
    for number in range(count):
        channel, place = 1 + number // PER_CHANNEL, number % PER_CHANNEL
        if place == 0 and channel <= MATCHES:
            yield channel, "city", f"{PORTLAND[0]},{PORTLAND[1]}", None
        elif place < 4:
            yield channel, "location", f"Location {number}", FIRST_LOCATION + number
        else:
            latitude, longitude = cities[(channel * PER_CHANNEL + place) % len(cities)]
            yield channel, "city", f"{latitude},{longitude}", None


def _fill(file: Path, count: int) -> None:
    _insert(file, max(count // PER_CHANNEL, 1), _targets(count))


def _fill_for_page(file: Path) -> None:
    """1,000 channels with 10 locations each; every one of 200 locations is watched by 50 channels."""
    rows = (
        (1 + number // PER_CHANNEL, "location", f"Location {number}", FIRST_LOCATION + number % PAGE)
        for number in range(PAGE_TARGETS)
    )
    _insert(file, 1_000, rows)


def _insert(file: Path, channels: int, rows: Iterator[tuple[int, str, str, int | None]]) -> None:
    added = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executemany(
            "INSERT INTO channel_configs (channel_id, guild_id, notification_types) VALUES (?, 1, 'all')",
            ((number,) for number in range(1, channels + 1)),
        )
        connection.executemany(
            "INSERT INTO monitoring_targets (channel_id, target_type, target_name, location_id, poll_rate_minutes,"
            " notification_types, created_at) VALUES (?, ?, ?, ?, NULL, NULL, ?)",
            ((*row, added) for row in rows),
        )


# -- the poller, in a process of its own


class Child:
    """The process that polls; it is told when to by a line, and answers with one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def poll(self) -> Cost:
        return Cost(**await self._ask("poll"))

    async def resident_mib(self) -> float:
        return float((await self._ask("memory"))["mib"])

    async def _ask(self, what: str) -> dict[str, float]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the child has no pipes")
        stdin.write(f"{what}\n".encode())
        answer: dict[str, float] = json.loads(await stdout.readline())
        return answer


@asynccontextmanager
async def _asked(fill: Callable[[Path], None]) -> AsyncIterator[tuple[World, Child]]:
    """An embedded Pinball Map, and a poller on a filled database that has seen its history."""
    clock = SystemClock()
    world = World(clock)
    server = PinballMapServer(world, clock)
    await server.start()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "polls.db"
        await asyncio.to_thread(upgrade, f"sqlite:///{file}")
        await asyncio.to_thread(fill, file)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.polls", "--child", str(file), server.base_url),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield world, Child(process)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await server.stop()


async def _child(file: str, base_url: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    clock = SystemClock()
    database = Database(f"sqlite:///{file}")
    log = Path(f"{file}-wal")
    async with open_session() as session:
        pinballmap = PinballMapClient(session, base_url, None, clock, requests_per_minute=UNLIMITED)
        poller = Poller(
            pinballmap,
            database,
            clock,
            shortest_interval=timedelta(minutes=1),
            settle_window=timedelta(minutes=5),
            wake_sender=lambda: None,
        )
        await poller.begin()
        async for line in _lines():
            answer = asdict(await _cost(poller, log)) if line == "poll" else {"mib": _resident_mib()}
            print(json.dumps(answer), flush=True)
    await database.close()


async def _lines() -> AsyncIterator[str]:
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line.strip()


async def _cost(poller: Poller, log: Path) -> Cost:
    before = _size(log)
    ticker = asyncio.create_task(_longest_gap())
    await asyncio.sleep(0)
    cpu, wall = time.process_time(), time.perf_counter()
    poll = await poller.poll()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    ticker.cancel()
    blocked = await ticker
    return Cost(1000 * cpu, 1000 * wall, 1000 * blocked, _size(log) - before, poll.notifications)


def _size(file: Path) -> int:
    return file.stat().st_size


async def _longest_gap() -> float:
    """By how much the event loop was late, in seconds, at the worst of many short waits."""
    longest, last = 0.0, time.perf_counter()
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.perf_counter()
            longest, last = max(longest, now - last - TICK_SECONDS), now
    return max(longest, time.perf_counter() - last - TICK_SECONDS)


def _resident_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# -- a poller as simple bots have it


async def measure_reference() -> Reference:
    """Ask Pinball Map once for each target, and compare with what was seen: one round."""
    clock = SystemClock()
    world = World(clock)
    server = PinballMapServer(world, clock)
    await server.start()
    seen: set[int] = set()
    places = [location.id for location in world.locations]
    try:
        async with open_session() as session:
            client = PinballMapClient(session, server.base_url, None, clock, requests_per_minute=UNLIMITED)
            cpu, wall = time.process_time(), time.perf_counter()
            for number in range(REFERENCE_TARGETS):
                answer = await client.submissions_at(places[number % len(places)])
                seen |= {row.id for row in answer.submissions} if isinstance(answer, Rows) else set()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    finally:
        await server.stop()
    return Reference(REFERENCE_TARGETS, sum(server.requests.values()), 1000 * cpu, 1000 * wall)


if __name__ == "__main__":
    asyncio.run(main())
