"""The made-up world that the benchmarks measure in: cities, targets in a database, and submissions."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from dispinmap.database.upgrade import upgrade
from dispinmap.sandbox.facts import Facts, Machine, Venue

START: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
"""When the bot has just polled. Targets are older."""
HISTORY_UNTIL: Final = START - timedelta(days=1)
TARGETS_PER_CHANNEL: Final = 10
CITIES: Final = 500
LOCATIONS: Final = 12_000
"""About as many as Pinball Map has."""
_REGIONS: Final = (
    (300, (30.0, 47.0), (-122.0, -75.0)),
    (120, (41.0, 59.0), (-8.0, 24.0)),
    (40, (33.0, 41.0), (131.0, 141.0)),
    (40, (-38.0, -27.0), (138.0, 153.0)),
)
"""How many of the cities, between which latitudes and longitudes: where pinball is played."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class NewsCity:
    """A city far from all others. Its submissions match one target in each of some channels, and no other target."""

    point: Point
    location_ids: range


def cities() -> list[Point]:
    """The same 500 points in every run."""
    chance = random.Random(1)  # noqa: S311 - no secret
    return [
        (round(chance.uniform(*latitudes), 4), round(chance.uniform(*longitudes), 4))
        for count, latitudes, longitudes in _REGIONS
        for _ in range(count)
    ]


BUSY_CITIES: Final = tuple(
    NewsCity((-34.0 + 6 * (n // 7), -70.0 + 5 * (n % 7)), range(20_000 + 10 * n, 20_010 + 10 * n)) for n in range(20)
)
"""50 channels watch each of them, once there are 10,000 targets."""
BIG_CITY: Final = NewsCity((-2.0, -60.0), range(30_000, 30_001))
"""200 channels watch it, once there are 2,000 targets."""
BIG_CITY_CHANNELS: Final = 200
BUSY_CHANNELS: Final = 1_000


def create(path: Path, targets: int) -> None:
    """A database at head with that many targets, half of them locations, all at the default poll rate."""
    upgrade(f"sqlite:///{path}")
    channels = targets // TARGETS_PER_CHANNEL
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany(
            "INSERT INTO channel_configs (channel_id, guild_id, is_active, created_at) VALUES (?, ?, 1, ?)",
            ((1 + channel, 1 + channel // 10, stored(HISTORY_UNTIL)) for channel in range(channels)),
        )
        connection.executemany(
            "INSERT INTO monitoring_targets (channel_id, target_type, target_name, display_name, location_id,"
            " poll_rate_minutes, notification_types, last_checked_at, created_at)"
            " VALUES (?, ?, ?, ?, ?, NULL, NULL, ?, ?)",
            _targets(channels),
        )
        connection.execute(
            "INSERT INTO feed_state (id, history_until, cursor_created_at, last_polled_at) VALUES (1, ?, ?, ?)",
            (stored(HISTORY_UNTIL), stored(START), stored(START)),
        )


def stored(moment: datetime) -> str:
    """As SQLAlchemy writes a time into SQLite."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _targets(channels: int) -> Iterator[tuple[int, str, str, str | None, int | None, str, str]]:
    chance = random.Random(2)  # noqa: S311 - no secret
    points, created = cities(), stored(HISTORY_UNTIL)
    for channel in range(channels):
        # Targets were served at any time of the last hour.
        served = stored(START - timedelta(seconds=chance.randrange(3600)))
        areas = chance.sample(points, TARGETS_PER_CHANNEL // 2)
        if channel < BUSY_CHANNELS:
            areas[0] = BUSY_CITIES[channel % len(BUSY_CITIES)].point
        if channel < BIG_CITY_CHANNELS:
            areas[1] = BIG_CITY.point
        for number, (latitude, longitude) in enumerate(areas):
            if number % 2:
                yield 1 + channel, "latlong", f"{latitude},{longitude},10", None, None, served, created
            else:
                name = f"{latitude},{longitude}"
                yield 1 + channel, "city", name, f"City at {name}", None, served, created
        for location in chance.sample(range(1, LOCATIONS + 1), TARGETS_PER_CHANNEL - len(areas)):
            yield 1 + channel, "location", f"Arcade {location}", None, location, served, created


def facts() -> Facts:
    """The locations for an embedded Pinball Map, spread over the cities."""
    points = cities()
    venues = [venue(location, points[location % len(points)]) for location in range(1, LOCATIONS + 1)]
    for city in (*BUSY_CITIES, BIG_CITY):
        venues += [venue(location, city.point) for location in city.location_ids]
    return Facts(tuple(venues), (Machine(641, "Monster Bash (Williams, 1998)"),), ("flipper_fan",), ("Plays well.",))


def venue(location_id: int, point: Point) -> Venue:
    return Venue(location_id, f"Arcade {location_id}", "Springfield", "OR", "US", 1, *point, machine_ids=())


def submission(
    id_: int, created_at: datetime, location_id: int, point: Point, kind: str = "new_lmx"
) -> dict[str, object]:
    """A row as Pinball Map shows it. No two rows are about the same machine, so that none undoes another."""
    place = f"Arcade {location_id}"
    return {
        "id": id_,
        "submission_type": kind,
        "submission": f"Machine {id_} was reported at {place} in Springfield by flipper_fan",
        "created_at": created_at.isoformat(timespec="milliseconds"),
        "updated_at": created_at.isoformat(timespec="milliseconds"),
        "location_id": location_id,
        "machine_id": id_,
        "comment": "Plays well." if kind == "new_condition" else None,
        "user_name": "flipper_fan",
        "location_name": place,
        "machine_name": f"Machine {id_} (Williams, 1998)",
        "city_name": "Springfield",
        "lat": point[0],
        "lon": point[1],
    }


def history(rows: int) -> list[dict[str, object]]:
    """What was in the feed before the bot first looked."""
    points = cities()
    return [
        submission(1 + n, HISTORY_UNTIL - timedelta(minutes=4 * (rows - n)), 1 + n, points[(1 + n) % len(points)])
        for n in range(rows)
    ]
