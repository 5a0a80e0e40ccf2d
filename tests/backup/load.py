"""Constant writes to a database, with the time of each."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

PAUSE_SECONDS = 0.02
PATIENCE = 60
LONG_AGO = "2000-01-01 00:00:00.000000"


@contextmanager
def writing(database: Path) -> Iterator[list[float]]:
    """Fifty transactions a second, each a row of `drills`; yields when each was committed, as it grows."""
    committed: list[float] = []
    done = Event()

    def write() -> None:
        with closing(sqlite3.connect(database, timeout=PATIENCE, isolation_level=None)) as connection:
            # As the bot does with Litestream 0.5.
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            while not done.wait(PAUSE_SECONDS):
                connection.execute(
                    "INSERT INTO drills (finished_at, restore_seconds) VALUES (?, ?)", (LONG_AGO, len(committed))
                )
                committed.append(time.monotonic())

    thread = Thread(target=write)
    thread.start()
    try:
        yield committed
    finally:
        done.set()
        thread.join()


async def until_written(committed: list[float], count: int) -> None:
    """Wait until this many rows were committed."""
    async with asyncio.timeout(PATIENCE):
        while len(committed) < count:  # noqa: ASYNC110 -- a thread appends
            await asyncio.sleep(PAUSE_SECONDS)


def written(database: Path) -> list[int]:
    """The numbers of the rows that are there, in order."""
    with closing(sqlite3.connect(database)) as connection:
        return [
            int(number)
            for (number,) in connection.execute(
                "SELECT restore_seconds FROM drills WHERE finished_at = ? ORDER BY id", (LONG_AGO,)
            )
        ]
