"""What the sandbox's world starts with: real venues, machines and places, and invented people.

Venues and machines are facts from Pinball Map (CC BY-SA 4.0). The people and their comments are made up.
"""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Machine:
    """A pinball machine. `name` has the form that submissions use, "Name (Maker, Year)"."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Venue:
    """A location as it is when the sandbox starts. Degrees; `state` and `country` are codes such as OR and US."""

    id: int
    name: str
    city: str
    state: str
    country: str
    region_id: int
    latitude: float
    longitude: float
    machine_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GeoPlace:
    """A place the geocoder knows. Degrees; `aliases` are other names that find it."""

    name: str
    admin1: str
    admin2: str | None
    country: str
    country_code: str
    latitude: float
    longitude: float
    population: int
    timezone: str
    aliases: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a world starts with."""

    venues: tuple[Venue, ...]
    machines: tuple[Machine, ...]
    people: tuple[str, ...]
    comments: tuple[str, ...]


def load_facts() -> Facts:
    """Read the facts that come with the package."""
    world, invented = _read("venues.json"), _read("people.json")
    return Facts(
        venues=tuple(_venue(row) for row in world["venues"]),
        machines=tuple(Machine(row["id"], row["name"]) for row in world["machines"]),
        people=tuple(invented["people"]),
        comments=tuple(invented["comments"]),
    )


def load_places() -> Sequence[GeoPlace]:
    """Read the places the geocoder knows."""
    return tuple(GeoPlace(**{**row, "aliases": tuple(row["aliases"])}) for row in _read("places.json"))


def fold(text: str) -> str:
    """Remove case and accents, to compare what people type: "München" equals "munchen"."""
    decomposed = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold().strip()


def _venue(row: dict[str, Any]) -> Venue:
    return Venue(**{key: value for key, value in row.items() if key != "machines"}, machine_ids=tuple(row["machines"]))


def _read(name: str) -> Any:  # noqa: ANN401 - our own JSON; the dataclasses check its fields
    return json.loads(files("dispinmap_sandbox").joinpath("data", name).read_text(encoding="utf-8"))
