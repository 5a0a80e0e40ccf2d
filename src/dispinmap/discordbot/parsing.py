"""What people type into commands, read purely; everything that cannot be read raises UserError with a sentence."""

import math
import re

from dispinmap.errors import UserError
from dispinmap.targets.naming import QUOTES
from dispinmap.targets.values import UNIT_PATTERN

_TRAILING_RADIUS = re.compile(
    rf"(?P<name>.*[^\s,]),?\s+(?P<radius>\d+(?:[.,]\d+)?(?:\s*(?:{UNIT_PATTERN}))?)",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
# A quoted name is passed over whole, because it may hold anything. A run of blanks is tried from its start alone, which
# keeps thousands of them from taking seconds.
_PASTED_LINE = re.compile(r'"(?:[^"\\]|\\.)*"|(?<!\s)\s+(?=[!/](?:add|poll_rate|notifications)\s|# )')


def split_radius(text: str) -> tuple[str, str | None]:
    """A city as typed in a message: the name and, where the line ends with one, the radius.

    Reads `Portland, OR 25`, `Portland OR 40 km` and `"Portland, OR" 25`.
    """
    bare = text.strip()
    closing = QUOTES.get(bare[:1])
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
        raise UserError("“{}” is no coordinate: write decimal degrees such as 45.5231 or -122.6765.", text)
    return number


def pasted_lines(text: str) -> str:
    """An export as lines again: a slash command's field turns the line breaks of what is pasted into blanks."""
    given = text.strip()
    return text if "\n" in given else _PASTED_LINE.sub(lambda found: found[0].strip() or "\n", given)
