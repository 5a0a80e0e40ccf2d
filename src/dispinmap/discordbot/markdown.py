"""Makes other people's text safe and short enough for Discord (pure)."""

import re
import unicodedata
from collections.abc import Sequence

ELLIPSIS = "…"
_SPECIAL = re.compile(r"[\\*_~|`\[\]<>]")
_LINE_START = re.compile(r"^(#(?=#{0,2} )|[-+](?=[ #])|\d+(?=[.)] ))")
_JOINERS = "\u200c\u200d"


def length(text: str) -> int:
    """In UTF-16 code units: the strictest way in which Discord's clients and servers count characters."""
    return len(text) + sum(character > "\uffff" for character in text)


def clean(text: str) -> str:
    """One line of visible text: single blanks, no control characters, no changes of writing direction."""
    return " ".join("".join(map(_visible, " ".join(text.split()))).split())


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    # Format characters can hide text or reverse the line. Joiners and tags stay: letters and emoji need them.
    hidden = category == "Cf" and character not in _JOINERS and character < "\U000e0000"
    return "" if hidden or category == "Cc" else character


def escape(text: str) -> str:
    """`text` on one line, so that Discord shows exactly these characters.

    This disarms emphasis, code, spoilers, masked and bare links, headings, lists, quotes, timestamps and mentions
    (https://support.discord.com/hc/en-us/articles/210298617).
    """
    safe = _SPECIAL.sub(r"\\\g<0>", clean(text))
    safe = _LINE_START.sub(_escape_start, safe)
    return safe.replace("://", "\\://").replace("@", "@\u200b")


def _escape_start(match: re.Match[str]) -> str:
    mark = match[0]
    # A digit cannot be escaped; a zero-width space before it keeps "1." from starting a list.
    return f"\u200b{mark}" if mark.isdigit() else f"\\{mark}"


def cut(text: str, limit: int) -> str:
    """At most `limit` characters. A shortened text ends with an ellipsis, after a whole word if one ends nearby."""
    if length(text) <= limit:
        return text
    end = _fitting(text, limit - length(ELLIPSIS))
    word_end = text.rfind(" ", 0, end + 1)
    if word_end >= end * 2 // 3:
        return text[:word_end].rstrip(" ,;:-") + ELLIPSIS
    while end and _continues(text, end):
        end -= 1
    return text[:end] + ELLIPSIS


def _fitting(text: str, limit: int) -> int:
    """How many characters from the start have a length of at most `limit`."""
    used = 0
    for index, character in enumerate(text):
        used += length(character)
        if used > limit:
            return index
    return len(text)


def _continues(text: str, index: int) -> bool:
    """Whether the character at `index` belongs to the one before, as accents and joined emoji do."""
    character = text[index]
    return (
        character in _JOINERS
        or text[index - 1] in _JOINERS
        or unicodedata.category(character) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def safe(text: str, limit: int) -> str:
    """At most `limit` visible characters of `text`, escaped. The result can be a little over twice as long."""
    return escape(cut(clean(text), limit))


def fit(lines: Sequence[str], limit: int, separator: str = "\n") -> str:
    """As many whole lines as fit, then "… and N more" with the number of lines left out."""
    whole = separator.join(lines)
    if length(whole) <= limit:
        return whole
    room = limit - length(_more(len(lines)))
    kept = 0
    while (room := room - length(lines[kept] + separator)) >= 0:
        kept += 1
    return separator.join((*lines[:kept], _more(len(lines) - kept)))


def _more(count: int) -> str:
    return f"… and {count} more"


def pages(lines: Sequence[str], limit: int, per_page: int) -> list[list[str]]:
    """Lines in groups of at most `per_page` lines and, joined by line breaks, at most `limit` characters each."""
    groups: list[list[str]] = [[]]
    for line in lines:
        short = cut(line, limit)
        if len(groups[-1]) >= per_page or length("\n".join((*groups[-1], short))) > limit:
            groups.append([])
        groups[-1].append(short)
    return [group for group in groups if group]
