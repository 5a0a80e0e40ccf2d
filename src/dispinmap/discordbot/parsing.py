"""What people type into commands, read purely; everything that cannot be read raises UserError with a sentence."""

import math
import re

from dispinmap.errors import UserError
from dispinmap.targets.models import (
    DEFAULT_RADIUS_MILES,
    KILOMETRES_PER_MILE,
    MAX_RADIUS_MILES,
    MIN_RADIUS_MILES,
    NotificationKind,
    checked_poll_rate,
)

DEFAULT_WORD = "default"
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“", "«": "»", "‘": "’"}
_UNITS = {
    "": 1.0,
    "mi": 1.0,
    "mile": 1.0,
    "miles": 1.0,
    "km": 1 / KILOMETRES_PER_MILE,
    "kilometre": 1 / KILOMETRES_PER_MILE,
    "kilometres": 1 / KILOMETRES_PER_MILE,
    "kilometer": 1 / KILOMETRES_PER_MILE,
    "kilometers": 1 / KILOMETRES_PER_MILE,
}
_RADIUS = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*([a-z]*)\.?", re.IGNORECASE | re.ASCII)
_TRAILING_RADIUS = re.compile(
    r"(?P<name>.*[^\s,]),?\s+(?P<radius>\d+(?:[.,]\d+)?(?:\s*(?:mi|miles?|km|kilomet(?:er|re)s?))?)",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
# A quoted name is passed over whole, because it may hold anything. A run of blanks is tried from its start alone, which
# keeps thousands of them from taking seconds.
_PASTED_LINE = re.compile(r'"(?:[^"\\]|\\.)*"|(?<!\s)\s+(?=[!/](?:add|poll_rate|notifications)\s|# )')


def unquoted(text: str) -> str:
    """Without blanks around it and without one pair of quotes around it."""
    bare = text.strip()
    if len(bare) >= 2 and _QUOTES.get(bare[0]) == bare[-1]:
        return bare[1:-1].strip()
    return bare


def parse_radius(text: str | None) -> float | None:
    """Miles from "25", "25 mi" or "40 km"; None for no text, which means the default."""
    if text is None or not text.strip():
        return None
    match = _RADIUS.fullmatch(unquoted(text))
    factor = _UNITS.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise UserError(f"“{text.strip()}” is no radius: write it as 25 (miles) or 40 km.")
    miles = float(match[1].replace(",", ".")) * factor
    if not MIN_RADIUS_MILES <= miles <= MAX_RADIUS_MILES:
        raise UserError(
            f"A radius of {text.strip()} is out of range: choose {MIN_RADIUS_MILES:g} to {MAX_RADIUS_MILES:g} miles "
            f"(up to {math.floor(MAX_RADIUS_MILES * KILOMETRES_PER_MILE)} km); without one it is "
            f"{DEFAULT_RADIUS_MILES:g} miles."
        )
    return miles


def split_radius(text: str) -> tuple[str, str | None]:
    """A city as typed in a message: the name and, where the line ends with one, the radius.

    Reads `Portland, OR 25`, `Portland OR 40 km` and `"Portland, OR" 25`.
    """
    bare = text.strip()
    closing = _QUOTES.get(bare[:1])
    if closing and (end := bare.find(closing, 1)) > 0:
        return bare[1:end].strip(), bare[end + 1 :].strip() or None
    match = _TRAILING_RADIUS.fullmatch(bare)
    return (match["name"], match["radius"]) if match else (bare, None)


def parse_degrees(text: str) -> float:
    """A decimal number of degrees, as maps print it: "45.52", "45.52,", "45.52°"."""
    try:
        number = float(text.strip().rstrip(",;°"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"“{text}” is no coordinate: write decimal degrees such as 45.5231 or -122.6765.")
    return number


def parse_minutes(text: str) -> int | None:
    """Minutes as a whole number; None for "default"."""
    word = unquoted(text).lower()
    if word == DEFAULT_WORD:
        return None
    digits = re.fullmatch(r"(\d{1,6})(?:\s*(?:m|min|minutes?))?", word, re.ASCII)
    if not digits:
        raise UserError(f"“{text.strip()}” is no poll rate: write a whole number of minutes, or “{DEFAULT_WORD}”.")
    return checked_poll_rate(int(digits[1]))


def parse_kind(text: str) -> NotificationKind | None:
    """One of the kinds; None for "default"."""
    word = unquoted(text).lower()
    if word == DEFAULT_WORD:
        return None
    try:
        return NotificationKind(word)
    except ValueError:
        raise UserError(f"“{text.strip()}” is no kind: write machines, comments, all or {DEFAULT_WORD}.") from None


def pasted_lines(text: str) -> str:
    """An export as lines again: a slash command's field turns the line breaks of what is pasted into blanks."""
    given = text.strip()
    return text if "\n" in given else _PASTED_LINE.sub(lambda found: found[0].strip() or "\n", given)
