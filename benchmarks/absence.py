"""What channels get after the bot was away for days.

`python -m benchmarks.absence [--days 1 5 30 90]` lets Pinball Map get 330 submissions a day while the bot is away, then
starts the real poller and sender, and compares what reached the channels with what a few lines of its own expect:
lost, twice, or not asked for. Pinball Map's limit is lifted; how long its answers would take at the polite rate is
computed. It ends with code 1 if anything is lost or comes twice.
"""

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog

from benchmarks import world
from benchmarks.pinballmap import UnlimitedServer
from dispinmap.database.engine import Database
from dispinmap.database.upgrade import upgrade
from dispinmap.http import open_session
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.sandbox.pinballmap_feed import miles
from dispinmap.sandbox.world import World
from tests.fakes.clock import ManualClock
from tests.fakes.pipeline import Pipeline

DAYS: Final = (1, 5, 30, 90)
PER_DAY: Final = 330
"""As in the real feed (API.md)."""
CHANNELS: Final = 40
PLACES: Final = 2_000
"""Locations with news. The first ones have the most, as in real life."""
KINDS: Final = ("new_lmx", "remove_machine", "new_condition", "confirm_location")
WANTED: Final = {"machines": {"new_lmx", "remove_machine"}, "comments": {"new_condition"}}
PAGES_A_MINUTE: Final = 15
"""The client's own limit for reading back; other requests have twice as much."""
QUIET_TURNS: Final = 30
"""Minutes without a post after which nothing more is expected."""

Pair = tuple[int, int]
"""A channel id and a submission id."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One target: a location, or everything within `radius` miles of `point`."""

    channel_id: int
    kind: str
    point: world.Point
    location_id: int | None = None
    radius: int = 0


@dataclass(frozen=True, slots=True)
class Absence:
    """How one absence ended. `messages` are Discord posts, and `most_messages` those of the channel with the most."""

    days: int
    submissions: int
    expected: int
    made: int
    lost: int
    twice: int
    unexpected: int
    requests: int
    minutes_at_polite_rate: float
    messages: int
    most_messages: int

    def __str__(self) -> str:
        return (
            f"{self.days} days, {self.submissions:,} submissions: {self.made:,} of {self.expected:,} notifications, "
            f"{self.lost:,} lost, {self.twice:,} twice, {self.unexpected:,} unexpected; {self.requests:,} requests, "
            f"{self.minutes_at_polite_rate:.1f} minutes at the polite rate; {self.messages:,} messages, "
            f"{self.most_messages:,} at most in a channel"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="What channels get after the bot was away for days.")
    parser.add_argument("--days", type=int, nargs="+", default=DAYS)
    found = measure(parser.parse_args().days)
    if any(each.lost or each.twice or each.unexpected for each in found):
        sys.exit("Something was lost, came twice or was not asked for.")


def figures() -> list[dict[str, object]]:
    """As plain values for the report."""
    return [asdict(each) for each in measure(DAYS)]


def measure(days: Sequence[int]) -> list[Absence]:
    """Measure and print each absence."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    found = []
    for number in days:
        found.append(asyncio.run(_absence(number)))
        print(found[-1], flush=True)
    return found


async def _absence(days: int) -> Absence:
    clock = ManualClock(world.START)
    pinballmap = World(clock, history=0, facts=world.facts())
    pinballmap.inject(world.history(200))
    server = UnlimitedServer(pinballmap, clock)
    await server.start()
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bot.db'}"
        upgrade(url)
        database = Database(url)
        async with open_session() as session:
            pipeline = Pipeline(clock, database, pinballmap, server)
            pipeline.wire(PinballMapClient(session, server.base_url, None, clock, requests_per_minute=600_000))
            await pipeline.poller.step()
            watches = _watches()
            for each in watches:
                area = f"{each.point[0]},{each.point[1]},{each.radius}" if each.radius else None
                await pipeline.watch(each.channel_id, location_id=each.location_id, area=area, kind=each.kind)
            await pipeline.turn()
            rows = _submissions(clock, days)
            clock.advance(timedelta(days=days).total_seconds())
            pinballmap.inject(rows)
            server.requests.clear()
            server.log.clear()
            await _until_quiet(pipeline)
        await database.close()
    await server.stop()
    return _compared(days, rows, watches, pipeline)


def _watches() -> list[Watch]:
    """A target for each channel: half of them locations, half of them areas; busy ones and quiet ones of both."""
    points = world.cities()
    watches = []
    for number in range(CHANNELS):
        # Growing steps: 1, 2, 4, 7, 11 ...
        place = 1 + number // 2 * (number // 2 + 1) // 2
        kind = "comments" if number % 4 >= 2 else "machines"
        point = points[place % len(points)]
        if number % 2:
            watches.append(Watch(1000 + number, kind, point, location_id=place))
        else:
            watches.append(Watch(1000 + number, kind, point, radius=(25, 100)[number % 8 // 4]))
    return watches


def _submissions(clock: ManualClock, days: int) -> list[dict[str, object]]:
    """Evenly in time; the n-th place has as many as 1/n says."""
    chance = random.Random(3)  # noqa: S311 - no secret
    points, how_many = world.cities(), days * PER_DAY
    step = timedelta(days=days) / (how_many + 1)
    places = chance.choices(range(1, PLACES + 1), [1 / n for n in range(1, PLACES + 1)], k=how_many)
    return [
        world.submission(10**6 + n, clock.now() + (n + 1) * step, place, points[place % len(points)], KINDS[n % 4])
        for n, place in enumerate(places)
    ]


async def _until_quiet(pipeline: Pipeline) -> None:
    """Minute by minute, until nothing has been posted for half an hour."""
    posts, quiet = 0, 0
    while quiet < QUIET_TURNS:
        await pipeline.turn()
        quiet = quiet + 1 if len(pipeline.destination.posts) == posts else 0
        posts = len(pipeline.destination.posts)


def _compared(days: int, rows: Sequence[dict[str, object]], watches: Sequence[Watch], pipeline: Pipeline) -> Absence:
    expected = {(watch.channel_id, row["id"]) for watch in watches for row in rows if _wants(watch, row)}
    posts = pipeline.destination.posts
    shown = Counter((post.channel_id, id_) for post in posts for card in post.cards for id_ in card.submission_ids)
    messages = Counter(post.channel_id for post in posts)
    # The polls that found nothing, after the news were read, are no part of catching up.
    asked = [line for line in pipeline.server.log if line.at == pipeline.server.log[0].at]
    pages = sum("page=" in line.query for line in asked)
    return Absence(
        days=days,
        submissions=len(rows),
        expected=len(expected),
        made=len(shown),
        lost=len(expected - shown.keys()),
        twice=sum(times > 1 for times in shown.values()),
        unexpected=len(shown.keys() - expected),
        requests=len(asked),
        minutes_at_polite_rate=(pages + (len(asked) - pages) / 2) / PAGES_A_MINUTE,
        messages=len(posts),
        most_messages=max(messages.values(), default=0),
    )


def _wants(watch: Watch, row: dict[str, object]) -> bool:
    """What people are promised, said without the bot's own code."""
    if row["submission_type"] not in WANTED[watch.kind]:
        return False
    if watch.location_id is not None:
        return row["location_id"] == watch.location_id
    latitude, longitude = float(str(row["lat"])), float(str(row["lon"]))
    return miles(*watch.point, latitude, longitude) <= watch.radius


if __name__ == "__main__":
    main()
