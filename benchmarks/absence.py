"""What a bot does that was away for 1 to 90 days: is anything lost or posted twice, and how many requests does it take?

`python -m benchmarks.absence [--days 1 5 30 90]` prints that for a bot that watches many places, so that the feed is
read page by page, for one that watches three, which are looked up, and for one that is killed (`kill -9`) five times
on the way. Poller, database and sender are the real ones. What is owed to whom is counted by `tests.fakes.missed`.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import structlog

from dispinmap.database.engine import Database
from dispinmap.database.upgrade import upgrade
from dispinmap.http import open_session
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap_sandbox.world import World
from tests.fakes.catching_up import FEED, PatientServer, catch_up_killed, leave
from tests.fakes.clock import ManualClock
from tests.fakes.missed import Missed, Wish, facts, missed, owed, wishes
from tests.fakes.pipeline import Pipeline
from tests.fakes.postfile import PostFile

DAYS: Final = (1, 5, 30, 90)
CHANNELS, PER_CHANNEL = 20, 10
FEW_CHANNELS, FEW_PER_CHANNEL = 1, 3
KILLED_DAYS: Final = 30
PAGES_A_MINUTE: Final = 15
"""The client's own limit while a gap is read."""
TURNS: Final = 10


@dataclass(frozen=True, slots=True)
class Absence:
    """Of one bot that came back. `minutes` is computed: the requests at the real pace of `PAGES_A_MINUTE`."""

    days: int
    places: int
    missed: int
    owed: int
    lost: int
    twice: int
    requests: int
    minutes: float
    messages: float
    """What a channel gets, the median of those that get any."""
    seconds: float
    """How long it took here, without the limit of requests a minute."""
    kills: int = 0

    def __str__(self) -> str:
        return (
            f"{self.days} days, {self.places} places, {self.kills} kills: {self.missed:,} submissions, {self.owed:,} "
            f"notifications owed, {self.lost} lost, {self.twice} twice; {self.requests} requests "
            f"({self.minutes:.1f} minutes at {PAGES_A_MINUTE} a minute), {self.messages:g} messages a channel; "
            f"{self.seconds:.1f} s here"
        )


async def measure(days: Sequence[int] = DAYS, report: Callable[[str], None] = print) -> list[Absence]:
    """Each absence with many places and with few, and one with kills."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    found = []
    for watched in ((CHANNELS, PER_CHANNEL), (FEW_CHANNELS, FEW_PER_CHANNEL)):
        for count in days:
            found.append(await absence(count, *watched))
            report(str(found[-1]))
    found.append(await killed(min(max(days), KILLED_DAYS)))
    report(str(found[-1]))
    return found


async def absence(days: int, channels: int, per_channel: int) -> Absence:
    """Come back after so many days, and poll and send until nothing waits any more."""
    now = datetime.now(UTC)
    with TemporaryDirectory() as folder:
        database, wanted, rows, server = await _left(Path(folder) / "away.db", days, channels, per_channel, now)
        clock = ManualClock(now)
        pipeline = Pipeline(clock, database, World(clock, history=0), server)
        async with open_session() as session:
            pipeline.wire(PinballMapClient(session, server.base_url, None, clock, requests_per_minute=60_000))
            began = time.perf_counter()
            await pipeline.turn(0)
            requests, seconds = sum(server.requests.values()), time.perf_counter() - began
            for _ in range(TURNS):
                await pipeline.turn()
        await database.close()
        await server.stop()
        posts = pipeline.destination.posts
        posted = Counter((post.channel_id, id_) for post in posts for card in post.cards for id_ in card.submission_ids)
        messages = Counter(post.channel_id for post in posts)
        return _figures(days, wanted, rows, posted, messages, requests, seconds)


async def killed(days: int) -> Absence:
    """The same in a process of its own that is killed while it reads, and while it posts."""
    now = datetime.now(UTC)
    with TemporaryDirectory() as folder:
        path, posts = Path(folder) / "away.db", Path(folder) / "posts"
        database, wanted, rows, server = await _left(path, days, CHANNELS, PER_CHANNEL, now)
        await database.close()
        began = time.perf_counter()
        pages = len(rows) // 50
        kills = await catch_up_killed(path, posts, server, [pages // 5] * 4, len(owed(wanted, rows)) // 3)
        seconds = time.perf_counter() - began
        await server.stop()
        file = PostFile(posts)
        return _figures(days, wanted, rows, file.posted(), file.messages(), server.requests[FEED], seconds, kills=kills)


async def _left(
    path: Path, days: int, channels: int, per_channel: int, now: datetime
) -> tuple[Database, list[Wish], list[Missed], PatientServer]:
    """A database as it was left, who watches what, what was missed, and Pinball Map, which knows that."""
    known = facts()
    wanted, rows = wishes(known.venues, channels, per_channel), missed(known.venues, days, now)
    await asyncio.to_thread(upgrade, f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    await leave(database, wanted, now - timedelta(days=days))
    world = World(ManualClock(now), history=0, facts=known)
    world.inject(row.payload for row in rows)
    server = PatientServer(world, ManualClock(now))
    await server.start()
    return database, wanted, rows, server


def _figures(
    days: int,
    wanted: Sequence[Wish],
    rows: Sequence[Missed],
    posted: Counter[tuple[int, int]],
    messages: Counter[int],
    requests: int,
    seconds: float,
    *,
    kills: int = 0,
) -> Absence:
    expected = owed(wanted, rows)
    return Absence(
        days=days,
        places=len({(wish.venue.id, wish.radius) for wish in wanted}),
        missed=len(rows),
        owed=len(expected),
        lost=(expected - posted).total(),
        twice=(posted - expected).total(),
        requests=requests,
        minutes=requests / PAGES_A_MINUTE,
        messages=median(messages.values()) if messages else 0,
        seconds=seconds,
        kills=kills,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, nargs="+", default=DAYS)
    asyncio.run(measure(parser.parse_args().days))


if __name__ == "__main__":
    main()
