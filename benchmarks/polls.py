"""What a poll costs with 1,000 to 1,000,000 targets: the real poller against an embedded Pinball Map.

`python -m benchmarks.polls [--targets 1000 10000 ...]` prints, for every number of targets: an idle poll (CPU, time,
memory, bytes written), for how long a poll blocks the event loop, a page of 200 news, and one submission. The poller
runs in a process of its own (`benchmarks.polling`), so that Pinball Map's work and the filling do not count.
"""

import argparse
import asyncio
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import crowd
from benchmarks.polling import POLL_SECONDS, ROUNDS, WARM_UP
from dispinmap_sandbox.world import World
from tests.fakes.catching_up import FEED, PatientServer
from tests.fakes.clock import ManualClock

TARGETS: Final = (1_000, 10_000, 100_000, 1_000_000)
PAGE: Final = 200
PAGE_RUNS: Final = 3
FIRST_ID: Final = 10**6


@dataclass(frozen=True, slots=True)
class PollFigures:
    """Of one number of targets. `matches` is per submission, `notifications` those of the page.

    `blocked_…_cpu_ms` counts only the CPU of the event loop's own thread.
    """

    targets: int
    first_poll_s: float
    idle_cpu_ms: float
    idle_wall_ms: float
    idle_memory_mib: float
    idle_log_bytes: float
    blocked_asleep_ms: float
    blocked_idle_ms: float
    blocked_idle_cpu_ms: float
    blocked_page_ms: float
    blocked_page_cpu_ms: float
    page_wall_s: float
    page_cpu_s: float
    page_memory_mib: float
    notifications: int
    single_cpu_ms: float
    single_wall_ms: float
    matches: float


async def measure(targets: Sequence[int] = TARGETS, report: Callable[[str], None] = print) -> list[PollFigures]:
    """Every measurement for every number of targets, smallest first."""
    with TemporaryDirectory() as folder:
        return [await _measure(count, Path(folder), report) for count in sorted(targets)]


async def _measure(targets: int, folder: Path, report: Callable[[str], None]) -> PollFigures:
    path = folder / f"{targets}.db"
    await asyncio.to_thread(crowd.fill, path, targets)
    found = {
        **await _run("start", path, []),
        **await _run("idle", path, []),
        **await _run("blocked", path, [(WARM_UP + ROUNDS, PAGE)]),
        **await _fastest_page(path),
        **await _run("single", path, [(WARM_UP + number, 1) for number in range(ROUNDS + 1)]),
    }
    await asyncio.to_thread(_remove, path)
    figures = PollFigures(targets=targets, **found)  # type: ignore[arg-type]
    report("\n".join(f"{field.name:>20}: {getattr(figures, field.name):,.2f}" for field in fields(figures)))
    return figures


async def _fastest_page(path: Path) -> dict[str, float]:
    """Of a few runs, because other programs on the machine only ever make one slower."""
    runs = [await _run("page", path, [(WARM_UP, PAGE)]) for _ in range(PAGE_RUNS)]
    return min(runs, key=lambda run: run["page_wall_s"])


def _remove(path: Path) -> None:
    """The database and its copy, with what SQLite keeps beside them."""
    for file in path.parent.glob(f"{path.stem}.*"):
        file.unlink()


async def _run(measurement: str, path: Path, news: Sequence[tuple[int, int]]) -> dict[str, float]:
    """Measure on a copy of the file, but for "start", which prepares it.

    `news` are pairs: after how many polls there is news, and how many submissions that are.
    """
    clock = ManualClock(crowd.START)
    world = World(clock)
    server = PatientServer(world, clock)
    await server.start()
    copy = path if measurement == "start" else Path(shutil.copy(path, path.with_suffix(".copy")))
    publishing = asyncio.create_task(_publish(server, world, news))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.polling", measurement, copy, server.base_url, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    publishing.cancel()
    await server.stop()
    if process.returncode:
        sys.exit(f"benchmarks.polling ended with {process.returncode}")
    figures: dict[str, float] = json.loads(output)
    return figures


async def _publish(server: PatientServer, world: World, news: Sequence[tuple[int, int]]) -> None:
    """Make news visible to the poll after so many. The answer to a request has gone out before this sees it."""
    polls, next_id = 0, FIRST_ID
    for after, count in news:
        while polls < after:
            await server.next_request(FEED)
            polls += 1
        world.inject(crowd.news(count, next_id, _time_of_poll(after + 1)))
        next_id += count


def _time_of_poll(number: int) -> datetime:
    return crowd.START + timedelta(seconds=number * POLL_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, nargs="+", default=TARGETS)
    asyncio.run(measure(parser.parse_args().targets))


if __name__ == "__main__":
    main()
