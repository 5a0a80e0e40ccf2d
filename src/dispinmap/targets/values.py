"""Parses radius, poll rate and kinds, for commands and for imports (pure).

Raises UserError for text that cannot be read.
"""

import math
import re

from dispinmap.errors import UserError
from dispinmap.targets.kinds import Kinds, NotificationKind, kind_or_none, kind_words
from dispinmap.targets.models import (
    DEFAULT_RADIUS_MILES,
    KILOMETRES_PER_MILE,
    MAX_RADIUS_MILES,
    MIN_RADIUS_MILES,
    checked_poll_rate,
)

DEFAULT_WORD = "default"
UNIT_PATTERN = r"mi|miles?|km|kilomet(?:er|re)s?"
_RADIUS = re.compile(rf"(?P<number>[+-]?\d+(?:[.,]\d+)?)\s*(?P<unit>{UNIT_PATTERN})?\.?", re.IGNORECASE | re.ASCII)
_CHOOSE_KINDS = f"Choose one or more of {', '.join(NotificationKind)}, or write {DEFAULT_WORD}."
_MINUTES = re.compile(r"(\d{1,6})(?:\s*(?:m|min|minutes?))?", re.IGNORECASE | re.ASCII)


def is_radius(text: str) -> bool:
    """Whether the text looks like a radius, in range or not."""
    return _RADIUS.fullmatch(text) is not None


def parse_radius(text: str) -> float:
    """Miles from "25", "25 mi", "40km" or "1,5 km"."""
    written = text.strip()
    found = _RADIUS.fullmatch(written)
    if found is None:
        raise UserError("“{}” isn’t a radius. Write it as 25 (miles) or 40 km.", written)
    miles = float(found["number"].replace(",", "."))
    if (found["unit"] or "").lower().startswith("k"):
        miles /= KILOMETRES_PER_MILE
    if not MIN_RADIUS_MILES <= miles <= MAX_RADIUS_MILES:
        raise UserError(
            f"A radius of {{}} is out of range. Choose {MIN_RADIUS_MILES:g} to {MAX_RADIUS_MILES:g} miles "
            f"(up to {math.floor(MAX_RADIUS_MILES * KILOMETRES_PER_MILE)} km), or leave it out for "
            f"{DEFAULT_RADIUS_MILES:g} miles.",
            written,
        )
    return miles


def parse_minutes(text: str) -> int | None:
    """A poll rate in whole minutes; None for "default"."""
    word = text.strip()
    if word.lower() == DEFAULT_WORD:
        return None
    minutes = _MINUTES.fullmatch(word)
    if minutes is None:
        raise UserError(f"“{{}}” isn’t a poll rate. Write a whole number of minutes, or “{DEFAULT_WORD}”.", word)
    return checked_poll_rate(int(minutes[1]))


def parse_kinds(text: str) -> Kinds | None:
    """One kind or several, such as "machines, scores and places"; None for "default"."""
    words = kind_words(text)
    if words == [DEFAULT_WORD]:
        return None
    if DEFAULT_WORD in words:
        raise UserError(f"“{DEFAULT_WORD}” can’t be combined with kinds. Write it alone, or leave it out.")
    kinds = []
    for word in words:
        kind = kind_or_none(word)
        if kind is None:
            raise UserError(f"“{{}}” isn’t a kind of notification. {_CHOOSE_KINDS}", word)
        kinds.append(kind)
    if not kinds:
        raise UserError(f"Which kinds? {_CHOOSE_KINDS}")
    return Kinds(kinds)
