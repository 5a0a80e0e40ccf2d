"""What a poll costs, by the number of targets.

`python -m benchmarks.polls [--targets 1000 10000 ...]` fills a database for each number and runs the real poller on it
against an embedded Pinball Map in another process. It measures a poll that brings nothing, one submission that matches
200 targets, and a page of 200 submissions that makes 10,000 notifications, whatever the number of targets. Beside that
it runs the reference poller, which asks once for every target.
"""

import argparse
import asyncio
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

import aiohttp
import structlog

from benchmarks import world
from benchmarks.pinballmap import PinballMap, running_pinball_map
from benchmarks.reference import ReferencePoller
from dispinmap.database.engine import Database
from dispinmap.feed.poller import Poller
from dispinmap.http import open_session
from dispinmap.pinballmap.client import PinballMapClient
from tests.fakes.clock import ManualClock

TARGETS: Final = (1_000, 10_000, 100_000, 1_000_000)
REFERENCE_TARGETS: Final = 1_000
"""More are computed from these: the reference poller does the same for each target."""
MINUTE: Final = timedelta(minutes=1)
INTERVAL: Final = timedelta(minutes=15)
"""Between two polls if every target has the default poll rate."""
FEED_ROWS: Final = 200
REPEATS: Final = 7
ENOUGH_SECONDS: Final = 15.0
"""After this long, no further repeat begins."""
PAGES: Final = 3
QUIET_SECONDS: Final = 1.0
FRAME_BYTES: Final = 4096 + 24
"""A page of the database in SQLite's log, with its header."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Blocked:
    """For how long the event loop did nothing else, in milliseconds; `quiet_*` while the bot was idle."""

    p99_ms: float
    longest_ms: float
    quiet_p99_ms: float
    quiet_longest_ms: float


@dataclass(frozen=True, slots=True)
class Idle:
    """Polls that bring nothing. The first one may do what later ones find done."""

    first_seconds: float
    cpu_ms: float
    wall_ms: float
    memory_mib: float
    pages_written: int
    blocked: Blocked


@dataclass(frozen=True, slots=True)
class News:
    """Polls that bring submissions: medians. `seconds` are from Pinball Map's answer to the commit."""

    submissions: int
    notifications: int
    seconds: float
    cpu_ms: float
    memory_mib: float
    blocked: Blocked


@dataclass(frozen=True, slots=True)
class Polls:
    """All that was measured for one number of targets."""

    targets: int
    file_mib: float
    idle: Idle
    unwatched: News
    single: News
    page: News


@dataclass(frozen=True, slots=True)
class Reference:
    """One round of the reference poller."""

    targets: int
    requests: int
    seconds: float
    cpu_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description="What a poll costs, by the number of targets.")
    parser.add_argument("--targets", type=int, nargs="+", default=TARGETS)
    figures(parser.parse_args().targets)


def heading() -> str:
    return (
        f"{'targets':>9} {'idle CPU':>9} {'wall':>8} {'memory':>8} {'written':>8} {'blocked':>9}"
        f" {'1 for none':>10} {'1 for 200':>9} {'page CPU':>9} {'page':>8} {'made':>6} {'memory':>8} {'blocked':>9}"
    )


def line(polls: Polls) -> str:
    idle, page = polls.idle, polls.page
    return (
        f"{polls.targets:9,} {idle.cpu_ms:6.1f} ms {idle.wall_ms:5.0f} ms {idle.memory_mib:4.0f} MiB"
        f" {idle.pages_written:8,} {idle.blocked.longest_ms:6.1f} ms {polls.unwatched.cpu_ms:7.1f} ms"
        f" {polls.single.cpu_ms:6.1f} ms {page.cpu_ms:6.0f} ms {page.seconds:6.2f} s {page.notifications:6,}"
        f" {page.memory_mib:4.0f} MiB {page.blocked.longest_ms:6.0f} ms"
    )


def reference_line(reference: Reference) -> str:
    return (
        f"asking once for each of {reference.targets:,} targets: {reference.requests:,} requests, "
        f"{reference.seconds:.1f} s, {reference.cpu_ms:,.0f} ms of CPU"
    )


def measure(targets: int) -> Polls:
    """Every measurement in a process of its own, one after the other on the same database."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bot.db"
        world.create(path, targets)
        return Polls(
            targets,
            file_mib=path.stat().st_size / 2**20,
            idle=_in_child(_idle, path),
            unwatched=_in_child(_unwatched, path),
            single=_in_child(_single, path),
            page=_in_child(_page, path),
        )


def measure_reference(targets: int = REFERENCE_TARGETS) -> Reference:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bot.db"
        world.create(path, targets)
        return _in_child(_reference, path)


def _in_child(work: Callable[[Path], Coroutine[None, None, T]], path: Path) -> T:
    """A fresh interpreter: what an earlier measurement left in memory does not count."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, work, path).result()


def _run(work: Callable[[Path], Coroutine[None, None, T]], path: Path) -> T:
    _be_quiet()
    return asyncio.run(work(path))


def _be_quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))


class Bench:
    """The poller on the database, and what is needed to make it poll and to watch it."""

    def __init__(self, path: Path, clock: ManualClock, server: PinballMap, poller: Poller) -> None:
        self._path = path
        self._clock = clock
        self._server = server
        self.poller = poller
        # Later measurements on the same database have later clocks, so ids are never used twice.
        self._ids = count(int(clock.now().timestamp()) * 1000)
        self.answered_at = 0.0
        """When Pinball Map's first answer of the last poll had arrived."""

    def pass_interval(self) -> None:
        """Until the next poll. What was written so far moves into the file, so that the log is empty."""
        self._clock.advance(INTERVAL.total_seconds())
        self.answered_at = 0.0
        with closing(sqlite3.connect(self._path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def pages_written(self) -> int:
        """Since `pass_interval`."""
        return self._path.with_name(f"{self._path.name}-wal").stat().st_size // FRAME_BYTES

    def publish(self, places: Sequence[tuple[int, world.Point]]) -> None:
        """A submission of each of these locations. A full page of them reaches back to what the bot knows."""
        now, known = self._clock.now(), _feed_state(self._path, "cursor_created_at")
        since = known - timedelta(minutes=11) if len(places) == FEED_ROWS else now - MINUTE
        rows = [
            world.submission(next(self._ids), since + number * (now - since) / len(places), location_id, point)
            for number, (location_id, point) in enumerate(places)
        ]
        self._server.publish(rows)


@asynccontextmanager
async def _bench(path: Path) -> AsyncIterator[Bench]:
    clock = ManualClock(_feed_state(path, "last_polled_at"))
    database = Database(f"sqlite:///{path}", checkpoints=False)
    with running_pinball_map(world.facts(), world.history(FEED_ROWS)) as server:
        async with open_session() as session:
            client = PinballMapClient(session, server.base_url, None, clock, requests_per_minute=60_000)
            poller = Poller(
                client,
                database,
                clock,
                shortest_interval=MINUTE,
                settle_window=5 * MINUTE,
                wake_sender=lambda: None,
            )
            bench = Bench(path, clock, server, poller)
            session.trace_configs.append(_note_answers(bench))
            yield bench
    await database.close()


def _note_answers(bench: Bench) -> aiohttp.TraceConfig:
    async def note(*_: object) -> None:
        bench.answered_at = bench.answered_at or time.perf_counter()

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(note)
    trace.freeze()
    return trace


def _feed_state(path: Path, column: str) -> datetime:
    with closing(sqlite3.connect(path)) as connection:
        (text,) = connection.execute(f"SELECT {column} FROM feed_state").fetchone()  # noqa: S608 - a name of ours
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def _idle(path: Path) -> Idle:
    async with _bench(path) as bench:
        before = _memory("VmRSS")
        began = time.perf_counter()
        await bench.poller.begin()
        bench.pass_interval()
        await bench.poller.poll()
        first_seconds = time.perf_counter() - began
        cpu: list[float] = []
        wall: list[float] = []
        pages: list[int] = []
        while len(cpu) < REPEATS and time.perf_counter() - began - first_seconds < ENOUGH_SECONDS:
            bench.pass_interval()
            cpu_began, wall_began = time.process_time(), time.perf_counter()
            await bench.poller.poll()
            cpu.append(1000 * (time.process_time() - cpu_began))
            wall.append(1000 * (time.perf_counter() - wall_began))
            pages.append(bench.pages_written())
        memory = _memory("VmHWM") - before
        bench.pass_interval()
        blocked = await _blocked(bench)
        return Idle(
            first_seconds,
            statistics.median(cpu),
            statistics.median(wall),
            memory,
            round(statistics.median(pages)),
            blocked,
        )


async def _unwatched(path: Path) -> News:
    """One submission far from every target."""
    return await _news(path, [(world.LOCATIONS + 1, (0.0, -160.0))], REPEATS)


async def _single(path: Path) -> News:
    return await _news(path, [(world.BIG_CITY.location_ids[0], world.BIG_CITY.point)], REPEATS)


async def _page(path: Path) -> News:
    """Ten submissions of each busy city, one after the other."""
    return await _news(
        path, [(city.location_ids[turn], city.point) for turn in range(10) for city in world.BUSY_CITIES], PAGES
    )


async def _news(path: Path, places: Sequence[tuple[int, world.Point]], repeats: int) -> News:
    async with _bench(path) as bench:
        before = _memory("VmRSS")
        began = time.perf_counter()
        await bench.poller.begin()
        bench.pass_interval()
        await bench.poller.poll()
        cpu: list[float] = []
        seconds: list[float] = []
        made = 0
        while len(cpu) < repeats and (not cpu or time.perf_counter() - began < ENOUGH_SECONDS):
            bench.pass_interval()
            bench.publish(places)
            made = _notifications(path)
            cpu_began = time.process_time()
            await bench.poller.poll()
            cpu.append(1000 * (time.process_time() - cpu_began))
            seconds.append(time.perf_counter() - bench.answered_at)
            made = _notifications(path) - made
        memory = _memory("VmHWM") - before
        bench.pass_interval()
        bench.publish(places)
        blocked = await _blocked(bench)
        return News(len(places), made, statistics.median(seconds), statistics.median(cpu), memory, blocked)


def _notifications(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (number,) = connection.execute("SELECT COUNT(*) FROM notifications").fetchone()
    return int(number)


async def _blocked(bench: Bench) -> Blocked:
    """Of one more poll: watching costs CPU too, so the others are not watched."""
    with _watched_loop() as quiet:
        await asyncio.sleep(QUIET_SECONDS)
    with _watched_loop() as gaps:
        await bench.poller.poll()
        await asyncio.sleep(0.01)  # the last gap ends only when the watching task runs again
    return Blocked(_p99(gaps), max(gaps), _p99(quiet), max(quiet))


@contextmanager
def _watched_loop() -> Iterator[list[float]]:
    gaps: list[float] = []
    task = asyncio.ensure_future(_tick(gaps))
    try:
        yield gaps
    finally:
        task.cancel()


async def _tick(gaps: list[float]) -> None:
    """How many milliseconds later than asked for each sleep of a millisecond ends."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        gaps.append(1000 * (time.perf_counter() - began) - 1)


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(0.99 * (len(values) - 1))]


def _memory(name: str) -> float:
    """MiB that the kernel counts as resident now ("VmRSS"), or the most so far ("VmHWM")."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024


async def _reference(path: Path) -> Reference:
    database = Database(f"sqlite:///{path}")
    with running_pinball_map(world.facts(), world.history(FEED_ROWS)) as server:
        async with open_session() as session:
            client = PinballMapClient(
                session, server.base_url, None, ManualClock(world.START), requests_per_minute=600_000
            )
            poller = ReferencePoller(client, database)
            cpu_began, began = time.process_time(), time.perf_counter()
            await poller.poll()
            seconds, cpu = time.perf_counter() - began, 1000 * (time.process_time() - cpu_began)
    await database.close()
    with closing(sqlite3.connect(path)) as connection:
        (targets,) = connection.execute("SELECT COUNT(*) FROM monitoring_targets").fetchone()
    return Reference(targets, client.requests.total(), seconds, cpu)


def figures(numbers: Sequence[int] = TARGETS) -> dict[str, object]:
    """Measure, print the table, and return all of it as plain values for the report."""
    _be_quiet()
    polls = []
    print(heading())
    for number in numbers:
        polls.append(measure(number))
        print(line(polls[-1]), flush=True)
    reference = measure_reference()
    print(reference_line(reference))
    return {"polls": [asdict(each) for each in polls], "reference": asdict(reference)}


if __name__ == "__main__":
    main()
