"""A small poller of the usual kind, to compare with: it asks Pinball Map once for every target.

`python -m benchmarks.reference [--targets 1000]` prints its requests, CPU and seconds for one round of polls that
brings nothing, without a limit of requests a minute.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import aiohttp

from benchmarks import crowd
from dispinmap_sandbox.world import World
from tests.fakes.catching_up import PatientServer
from tests.fakes.clock import ManualClock

TARGETS: Final = 1_000
REQUESTS_A_MINUTE: Final = 120
"""What Pinball Map allows (API.md)."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round over all targets."""

    targets: int
    requests: int
    cpu_ms: float
    wall_s: float

    def __str__(self) -> str:
        return (
            f"reference poller, {self.targets:,} targets: {self.requests:,} requests, {self.cpu_ms:,.0f} ms of CPU, "
            f"{self.wall_s:.1f} s; {self.requests / REQUESTS_A_MINUTE:.1f} minutes at Pinball Map's limit"
        )


async def poll(path: str, base_url: str) -> Round:
    """Ask for each target, and keep the newest id of each."""
    with closing(sqlite3.connect(path)) as connection:
        targets = connection.execute("SELECT id, location_id, target_name FROM monitoring_targets").fetchall()
    newest: dict[int, int] = {}
    began, cpu = time.perf_counter(), time.process_time()
    async with aiohttp.ClientSession() as session:
        for target_id, location_id, name in targets:
            url, params = question(base_url, location_id, name)
            async with session.get(url, params=params) as response:
                rows: list[dict[str, Any]] = (await response.json()).get("user_submissions", [])
            newest[target_id] = max((row["id"] for row in rows), default=newest.get(target_id, 0))
    return Round(len(targets), len(targets), 1000 * (time.process_time() - cpu), time.perf_counter() - began)


def question(base_url: str, location_id: int | None, name: str) -> tuple[str, dict[str, str]]:
    """The request for one target."""
    if location_id is not None:
        return f"{base_url}/user_submissions/location.json", {"id": str(location_id)}
    latitude, longitude, radius = (*name.split(","), "25")[:3]
    return (
        f"{base_url}/user_submissions/list_within_range.json",
        {"lat": latitude, "lon": longitude, "max_distance": radius},
    )


async def measure(targets: int = TARGETS) -> Round:
    """One round, in a process of its own."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "reference.db"
        await asyncio.to_thread(crowd.fill, path, targets)
        clock = ManualClock(crowd.START)
        server = PatientServer(World(clock), clock)
        await server.start()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.reference", "--ask", path, server.base_url, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        await server.stop()
    return Round(**json.loads(output))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=TARGETS)
    parser.add_argument("--ask", nargs=2, metavar=("DATABASE", "BASE_URL"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ask:
        found = asyncio.run(poll(*arguments.ask))
        print(json.dumps({name: getattr(found, name) for name in Round.__slots__}))
    else:
        print(asyncio.run(measure(arguments.targets)))


if __name__ == "__main__":
    main()
