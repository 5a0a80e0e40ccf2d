"""Many channels with many targets in a new database, and the news that concern a known number of them.

There are 500 cities, at least 50 miles apart. Half of the targets are a location, the others a city or a point, each
channel's ten in ten different cities. `NEWS_TARGETS` of them, or all if there are fewer, watch the `NEWS_CITIES`; the
others watch the remaining cities. So news from the news cities match the same targets, whatever the total.
"""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from dispinmap.database.upgrade import upgrade
from dispinmap.matching.geography import miles_between

CITIES: Final = 500
NEWS_CITIES: Final = 200
NEWS_TARGETS: Final = 10_000
PER_CHANNEL: Final = 10
APART_MILES: Final = 50
FIRST_LOCATION: Final = 20_000
START: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
"""When the benchmark begins; every target is older than that."""
_POLL_RATES: Final = (None, 60, 5)
_ADDED: Final = (START - timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S.%f")


@cache
def cities() -> tuple[tuple[float, float], ...]:
    """Points in degrees, spread by chance over an area as large as the mainland of the United States."""
    chance = random.Random(1)  # noqa: S311 - no secret
    found: list[tuple[float, float]] = []
    while len(found) < CITIES:
        point = round(chance.uniform(26, 48), 4), round(chance.uniform(-123, -68), 4)
        if all(miles_between(*point, *other) > APART_MILES for other in found):
            found.append(point)
    return tuple(found)


def fill(path: Path, targets: int) -> None:
    """Create the database with the real migrations, and put the targets into it."""
    upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO channel_configs (channel_id, guild_id, poll_rate_minutes) VALUES (?, 1, ?)",
            ((channel + 1, _POLL_RATES[channel % len(_POLL_RATES)]) for channel in range(-(-targets // PER_CHANNEL))),
        )
        connection.executemany(
            "INSERT INTO monitoring_targets (channel_id, target_type, target_name, location_id, poll_rate_minutes,"
            " notification_types, created_at) VALUES (?, ?, ?, ?, NULL, NULL, ?)",
            _targets(targets),
        )


def news(count: int, first_id: int, at: datetime) -> list[dict[str, object]]:
    """Rows of the feed, a second apart up to `at`: a machine was added in one news city after the other."""
    return [
        {
            "id": first_id + number,
            "submission_type": "new_lmx",
            "created_at": (at - timedelta(seconds=count - 1 - number)).isoformat(),
            "location_id": FIRST_LOCATION + number % NEWS_CITIES,
            "location_name": f"Arcade {number % NEWS_CITIES}",
            "city_name": f"City {number % NEWS_CITIES}",
            "lat": cities()[number % NEWS_CITIES][0],
            "lon": cities()[number % NEWS_CITIES][1],
            "machine_id": first_id + number,
            "machine_name": "Monster Bash (Williams, 1998)",
            "user_name": "flipperfern",
        }
        for number in range(count)
    ]


def _targets(count: int) -> Iterator[tuple[int, str, str, int | None, str]]:
    for number in range(count):
        channel, place = divmod(number, PER_CHANNEL)
        if number < NEWS_TARGETS:
            city = (channel + place * (NEWS_CITIES // PER_CHANNEL)) % NEWS_CITIES
        else:
            others = CITIES - NEWS_CITIES
            city = NEWS_CITIES + (channel + place * (others // PER_CHANNEL)) % others
        latitude, longitude = cities()[city]
        if place % 2 == 0:
            yield channel + 1, "location", f"Arcade {city}", FIRST_LOCATION + city, _ADDED
        elif place % 4 == 1:
            yield channel + 1, "city", f"{latitude},{longitude}", None, _ADDED
        else:
            yield channel + 1, "latlong", f"{latitude},{longitude},25", None, _ADDED
