"""How long a large legacy database takes to head, and how much memory.

`python -m benchmarks.upgrade [FILE]` makes one of 100,000 targets and 1,000,000 seen submissions (in FILE, or in a
temporary folder), upgrades it with `dispinmap db upgrade` in a process of its own, and prints seconds and MiB.
"""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.migrations.legacy import SCHEMA

CHANNELS = 1_000
TARGETS = 100_000
SEEN = 1_000_000
MAX_SECONDS, MAX_MIB = 60, 300


def main() -> None:
    with TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "large.db"
        make(path)
        print(f"{TARGETS:,} targets, {SEEN:,} seen submissions, {path.stat().st_size / 2**20:.0f} MiB")
        seconds, mebibytes = upgraded(path)
        left = rows(path)
        print(f"{seconds:.1f} s, at most {mebibytes:.0f} MiB; {left[0]:,} targets and {left[1]:,} seen rows are left")
        sys.exit(seconds > MAX_SECONDS or mebibytes > MAX_MIB or left[1] != SEEN)


def make(path: Path) -> None:
    """Every kind of target, a tenth of them repeating their neighbour, on channels with settings of their own."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(SCHEMA)
        connection.executemany(
            "INSERT INTO channel_configs (channel_id, guild_id, poll_rate_minutes, is_active) VALUES (?, 1, ?, 1)",
            [(channel, channel % 120 + 1) for channel in range(CHANNELS)],
        )
        connection.executemany(
            "INSERT INTO monitoring_targets (channel_id, target_type, target_name, target_data, poll_rate_minutes,"
            " notification_types) VALUES (?, ?, ?, ?, 60, 'machines')",
            targets(),
        )
        connection.executemany(
            "INSERT INTO seen_submissions (channel_id, submission_id) VALUES (?, ?)",
            ((number % CHANNELS, number // CHANNELS) for number in range(SEEN)),
        )


def targets() -> Iterator[tuple[int, str, str, str | None]]:
    chance = random.Random(1)  # noqa: S311 - no secret
    for number in range(TARGETS):
        point = f"{chance.uniform(-60, 60):.5f},{chance.uniform(-180, 180):.5f}"
        kind = ("location", "location", "location", "city", "latlong")[number % 5]
        location = number - 1 if number % 10 == 1 else number
        data = {"location": str(location + 1), "city": point, "latlong": None}[kind]
        name = f"{point},10" if kind == "latlong" else f"Place {number}, Oregon, US"
        yield number // (TARGETS // CHANNELS), kind, name, data


def upgraded(path: Path) -> tuple[float, float]:
    """Seconds, and the largest resident size in MiB, of `dispinmap db upgrade`."""
    command = [str(Path(sys.executable).with_name("dispinmap")), "db", "upgrade", f"--url=sqlite:///{path}"]
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=None if sys.stderr.isatty() else subprocess.DEVNULL)  # noqa: S603 - ours
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the upgrade ended with {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def rows(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as connection:
        (left,) = connection.execute("SELECT COUNT(*) FROM monitoring_targets").fetchone()
        (seen,) = connection.execute("SELECT COUNT(*) FROM seen_submissions").fetchone()
    return left, seen


if __name__ == "__main__":
    main()
