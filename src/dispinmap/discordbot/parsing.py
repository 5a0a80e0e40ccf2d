"""Parses what people type into commands (pure). Raises UserError for text that cannot be read."""

import math
import re

from dispinmap.errors import UserError
from dispinmap.targets.kinds import NotificationKind, kind_words
from dispinmap.targets.naming import QUOTES
from dispinmap.targets.values import DEFAULT_WORD, UNIT_PATTERN

_TRAILING_RADIUS = re.compile(
    rf"(?P<name>.*[^\s,]),?\s+(?P<radius>\d+(?:[.,]\d+)?(?:\s*(?:{UNIT_PATTERN}))?)",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_ALONE = frozenset({NotificationKind.ALL.value, DEFAULT_WORD})
_COMBINED = frozenset(NotificationKind) - _ALONE
# Skip quoted names, which may contain anything. Match a run of blanks only from its start: otherwise thousands of
# blanks would take seconds.
_PASTED_LINE = re.compile(r'"(?:[^"\\]|\\.)*"|(?<!\s)\s+(?=[!/](?:add|poll_rate|notifications)\s|# )')


def split_radius(text: str) -> tuple[str, str | None]:
    """A city as typed in a message: the name, and the radius if the line ends with one.

    Reads `Portland, OR 25`, `Portland OR 40 km` and `"Portland, OR" 25`.
    """
    bare = text.strip()
    closing = QUOTES.get(bare[:1])
    if closing and (end := bare.find(closing, 1)) > 0:
        return bare[1:end].strip(), bare[end + 1 :].strip() or None
    match = _TRAILING_RADIUS.fullmatch(bare)
    return (match["name"], match["radius"]) if match else (bare, None)


def split_kinds(text: str) -> tuple[str, str | None]:
    """Kinds as typed in a message, and the target after them.

    The kinds end before the first word that is not a kind, and before a quoted name. Another kind must follow a comma
    or "and". `all` and `default` are kinds only at the beginning, so that `machines All Star Arcade` names a target.
    """
    end = 0
    expected = True
    for word in re.finditer(r"\S+", text):
        names = kind_words(word[0])
        if not names:
            expected = True
            continue
        if not (expected or word[0].startswith(",") or all(name in _COMBINED for name in names)):
            break
        is_first = end == 0
        end = word.end()
        expected = word[0].endswith(",")
        if is_first and not expected and names[0] in _ALONE:
            break
    return text[:end], text[end:].strip() or None


def parse_degrees(text: str) -> float:
    """A decimal number of degrees, as maps print it: "45.52", "45.52,", "45.52°"."""
    try:
        number = float(text.strip().rstrip(",;°"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError("“{}” isn’t a coordinate. Write decimal degrees, such as 45.5231 or -122.6765.", text)
    return number


def pasted_lines(text: str) -> str:
    """Restore the lines of a pasted export: a slash command's field turns line breaks into blanks."""
    given = text.strip()
    return text if "\n" in given else _PASTED_LINE.sub(lambda found: found[0].strip() or "\n", given)
