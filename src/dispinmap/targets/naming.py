"""Compares what people type for a location with Pinball Map's names (pure)."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs, urlsplit

from dispinmap.errors import UserError
from dispinmap.pinballmap.models import Location

CHOICES: Final = 25
"""The most that Discord shows in a select menu or an autocomplete list."""

QUOTES: Final = {'"': '"', "'": "'", "“": "”", "„": "“", "«": "»", "‘": "’"}
"""Opening to closing."""

_LINK = re.compile(r"<?(?:https?://)?(?:[\w-]+\.)*pinballmap\.com(?P<rest>[/?#][^>]*)?>?", re.IGNORECASE)
# Pinball Map's ids are 32-bit integers, so a longer number must be a name.
_ID = re.compile(r"[0-9]{1,9}", re.ASCII)
_LOCATION_PATH = re.compile(r"/locations/([0-9]{1,9})(?:\.json)?/?$", re.ASCII)
_LABEL = re.compile(r"(?P<name>.+?)\s*\([^()]*\)\s*")


def fold(text: str) -> str:
    """The text without case, accents and punctuation, with single blanks between words."""
    # Decompose first: mathematical and other styled letters only then have a case.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(re.sub(r"['’`.]", "", letters).replace("&", " and ").translate(_BLANKS).split())


class _Blanks(dict[int, str]):
    """Maps every character that is not a letter or digit to a blank."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        return char if char.isalnum() else " "


_BLANKS = _Blanks()


def unquoted(text: str) -> str:
    """The text without surrounding blanks and without one pair of surrounding quotes."""
    bare = text.strip()
    if len(bare) >= 2 and QUOTES.get(bare[0]) == bare[-1]:
        return bare[1:-1].strip()
    return bare


def location_id_in(text: str) -> int | None:
    """The id if the text is one, or if it is a pinballmap.com link to a location; None for a name.

    Raises UserError for any other link to pinballmap.com.
    """
    if _ID.fullmatch(text):
        return int(text)
    link = _LINK.fullmatch(text)
    if link is None:
        return None
    parts = urlsplit("/" + (link["rest"] or "").lstrip("/"))
    named = parse_qs(parts.query).get("by_location_id", [""])[0]
    if _ID.fullmatch(named):
        return int(named)
    if found := _LOCATION_PATH.search(parts.path):
        return int(found[1])
    raise UserError(
        "This pinballmap.com link doesn’t name a location. Open the location on the map and copy its address, "
        "such as https://pinballmap.com/map?by_location_id=874."
    )


def search_text(text: str) -> str:
    """What to search for on Pinball Map: of an autocomplete label "Name (City, ST)", only the name."""
    label = _LABEL.fullmatch(text)
    return label["name"] if label else text


def ranked(text: str, found: Iterable[Location]) -> tuple[Location, ...]:
    """The exact match if there is only one; otherwise up to `CHOICES` locations, best first."""
    wanted = fold(text)
    candidates = sorted(found, key=lambda location: _rank(wanted, location))
    exact = [location for location in candidates if is_exact(wanted, location)]
    return tuple(exact) if len(exact) == 1 else tuple(candidates[:CHOICES])


def is_exact(wanted: str, location: Location) -> bool:
    """Whether the folded text is the location's name, or its name with city and state."""
    name = fold(location.name)
    return wanted in (name, fold(f"{name} {location.city or ''} {location.state or ''}"))


def _rank(wanted: str, location: Location) -> tuple[int, int, str, int]:
    """First exact names, then names that begin with the text, then names that contain it; more machines first."""
    name = fold(location.name)
    if is_exact(wanted, location):
        closeness = 0
    elif name.startswith(wanted):
        closeness = 1
    else:
        closeness = 2 if wanted in name else 3
    return closeness, -(location.machine_count or 0), name, location.id
