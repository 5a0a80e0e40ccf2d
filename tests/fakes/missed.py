"""What a bot that was away has missed: a feed of so many days, who watches what, and what each channel is owed."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from dispinmap_sandbox.facts import Facts, Venue, load_facts
from dispinmap_sandbox.pinballmap_feed import miles

PER_DAY: Final = 330
"""Submissions of the whole world (API.md)."""
VENUES: Final = 200
FIRST_VENUE: Final = 20_000
FIRST_ID: Final = 10**6
TYPES: Final = ("new_lmx", "new_condition", "remove_machine", "confirm_location", "new_msx")
MACHINES: Final = frozenset({"new_lmx", "remove_machine"})


@dataclass(frozen=True, slots=True)
class Wish:
    """A target: a location, or a circle of `radius` miles around one. `kind` is "machines" or "all"."""

    channel_id: int
    venue: Venue
    radius: int | None = None
    kind: str = "machines"

    @property
    def area(self) -> str | None:
        """As a target's text has it; None for the location itself."""
        return None if self.radius is None else f"{self.venue.latitude},{self.venue.longitude},{self.radius}"

    def wants(self, row: "Missed") -> bool:
        """By the plain rules, without any of the bot's own code."""
        there = row.venue
        if self.kind == "machines" and row.type not in MACHINES:
            return False
        if self.radius is None:
            return there.id == self.venue.id
        return miles(self.venue.latitude, self.venue.longitude, there.latitude, there.longitude) <= self.radius


@dataclass(frozen=True, slots=True)
class Missed:
    """One submission of the time without the bot."""

    id: int
    type: str
    created_at: datetime
    venue: Venue

    @property
    def payload(self) -> dict[str, object]:
        """The row as Pinball Map shows it. Every machine is another one, so that nothing undoes anything."""
        return {
            "id": self.id,
            "submission_type": self.type,
            "submission": f"Something happened at {self.venue.name}",
            "created_at": self.created_at.isoformat(),
            "location_id": self.venue.id,
            "location_name": self.venue.name,
            "city_name": self.venue.city,
            "lat": self.venue.latitude,
            "lon": self.venue.longitude,
            "machine_id": None if self.type == "confirm_location" else self.id,
            "machine_name": None if self.type == "confirm_location" else "Monster Bash (Williams, 1998)",
            "high_score": 1_000_000 if self.type == "new_msx" else None,
            "comment": "Plays well." if self.type == "new_condition" else None,
            "user_name": "flipperfern",
        }


def facts() -> Facts:
    """The sandbox's facts with other venues, spread over an area as large as the mainland of the United States."""
    chance = random.Random(1)  # noqa: S311 - no secret
    known = load_facts()
    venues = tuple(
        replace(
            known.venues[0],
            id=FIRST_VENUE + number,
            name=f"Arcade {number}",
            latitude=round(chance.uniform(26, 48), 4),
            longitude=round(chance.uniform(-123, -68), 4),
        )
        for number in range(VENUES)
    )
    return replace(known, venues=venues)


def wishes(venues: Sequence[Venue], channels: int, per_channel: int) -> list[Wish]:
    """Locations and circles in turn; every second channel wants all kinds."""
    return [
        Wish(
            channel_id=10 + channel,
            venue=venues[(channel * per_channel + number) % len(venues)],
            radius=(None, 25, None, 60)[number % 4],
            kind=("all", "machines")[channel % 2],
        )
        for channel in range(channels)
        for number in range(per_channel)
    ]


def missed(venues: Sequence[Venue], days: int, until: datetime) -> list[Missed]:
    """The submissions of `days` days before `until`, oldest first, at chance times and venues."""
    chance = random.Random(days)  # noqa: S311 - no secret
    ages = sorted((chance.uniform(60, days * 86_400) for _ in range(days * PER_DAY)), reverse=True)
    return [
        Missed(FIRST_ID + number, TYPES[number % len(TYPES)], until - timedelta(seconds=age), chance.choice(venues))
        for number, age in enumerate(ages)
    ]


def owed(wishes: Iterable[Wish], rows: Iterable[Missed]) -> Counter[tuple[int, int]]:
    """Every submission that is to be posted, as pairs of channel id and submission id, each once."""
    rows = list(rows)
    return Counter({(wish.channel_id, row.id) for wish in wishes for row in rows if wish.wants(row)})
