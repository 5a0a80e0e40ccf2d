"""What people type for a location, compared with what Pinball Map calls it (pure)."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs, urlsplit

from dispinmap.errors import UserError
from dispinmap.pinballmap.models import Location

CHOICES: Final = 25
"""A Discord select menu and an autocomplete list show no more."""

QUOTES: Final = {'"': '"', "'": "'", "“": "”", "„": "“", "«": "»", "‘": "’"}
"""Opening to closing."""

_LINK = re.compile(r"<?(?:https?://)?(?:[\w-]+\.)*pinballmap\.com(?P<rest>[/?#][^>]*)?>?", re.IGNORECASE)
# Ids are 32-bit integers at the server; a longer number can only be a name.
_ID = re.compile(r"[0-9]{1,9}", re.ASCII)
_LOCATION_PATH = re.compile(r"/locations/([0-9]{1,9})(?:\.json)?/?$", re.ASCII)
_LABEL = re.compile(r"(?P<name>.+?)\s*\([^()]*\)\s*")


def fold(text: str) -> str:
    """The text without case, accents and punctuation, words separated by one blank."""
    # Letters in mathematical or other dress have a case only once they are decomposed.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(re.sub(r"['’`.]", "", letters).replace("&", " and ").translate(_BLANKS).split())


class _Blanks(dict[int, str]):
    """Maps every character that is neither letter nor digit to a blank."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        return char if char.isalnum() else " "


_BLANKS = _Blanks()


def unquoted(text: str) -> str:
    """Without blanks and one pair of quotes around it."""
    bare = text.strip()
    if len(bare) >= 2 and QUOTES.get(bare[0]) == bare[-1]:
        return bare[1:-1].strip()
    return bare


def location_id_in(text: str) -> int | None:
    """The id if the text is one, or a link to a location of pinballmap.com; None for a name.

    Raises UserError for a link to pinballmap.com that names no location.
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
        "This pinballmap.com link names no location: open the location on the map and copy the address from there, "
        "such as https://pinballmap.com/map?by_location_id=874."
    )


def search_text(text: str) -> str:
    """What to ask Pinball Map for: an autocomplete label "Name (City, ST)" is searched by its name alone."""
    label = _LABEL.fullmatch(text)
    return label["name"] if label else text


def ranked(text: str, found: Iterable[Location]) -> tuple[Location, ...]:
    """The only exact hit alone; otherwise all, best first, at most `CHOICES`."""
    wanted = fold(text)
    candidates = sorted(found, key=lambda location: _rank(wanted, location))
    exact = [location for location in candidates if is_exact(wanted, location)]
    return tuple(exact) if len(exact) == 1 else tuple(candidates[:CHOICES])


def is_exact(wanted: str, location: Location) -> bool:
    """Whether the folded text is the location's name, or its name with city and state."""
    name = fold(location.name)
    return wanted in (name, fold(f"{name} {location.city or ''} {location.state or ''}"))


def _rank(wanted: str, location: Location) -> tuple[int, int, str, int]:
    """Exact names, then those that begin with the text, that hold it, and the rest; more machines first."""
    name = fold(location.name)
    if is_exact(wanted, location):
        closeness = 0
    elif name.startswith(wanted):
        closeness = 1
    else:
        closeness = 2 if wanted in name else 3
    return closeness, -(location.machine_count or 0), name, location.id
