"""The targets of a channel as a table in a fixed-width font, for `/list` (pure)."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

from dispinmap.discordbot.lines import moment
from dispinmap.discordbot.markdown import clean, escape, fit, pages
from dispinmap.discordbot.texts import label, tenths
from dispinmap.targets.kinds import Kinds
from dispinmap.targets.models import WatchedTarget
from dispinmap.targets.service import ListedTarget

NAME_COLUMNS = 32
ROWS_PER_PAGE = 10
_TABLE_LIMIT = 1300
_PROBLEMS_LIMIT = 500
_HEAD = ("#", "Name", "Every", "Kinds")
_OWN = "*"
_KINDS_SHOWN = 2
_LEGEND = f"{_OWN} set for this target only; everything else follows the channel."


def width(text: str) -> int:
    """Columns in a fixed-width font: 2 for a wide East Asian character or emoji, 0 for a combining accent."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def padded(text: str, columns: int) -> str:
    """`text`, shortened or padded to exactly `columns`."""
    short = _shortened(text, columns)
    return short + " " * (columns - width(short))


def _shortened(text: str, columns: int) -> str:
    """At most `columns` wide. A shortened text ends with an ellipsis."""
    if width(text) <= columns:
        return text
    while width(text) >= columns:
        text = text[:-1]
    return text.rstrip(" ,") + "…"


def target_pages(listed: Sequence[ListedTarget], read_at: datetime | None) -> list[str]:
    """Pages that each fit into one message: the table, when Pinball Map was last read, and problems with targets."""
    rows = [_row(one) for one in listed]
    columns = [min(NAME_COLUMNS, max(width(cell) for cell in column)) for column in zip(_HEAD, *rows, strict=True)]
    head, *lines = (_line(row, columns) for row in (_HEAD, *rows))
    groups = pages(lines, _TABLE_LIMIT, ROWS_PER_PAGE)
    starts = [sum(len(group) for group in groups[:index]) for index in range(len(groups))]
    return [
        _page(head, group, listed[start : start + len(group)], read_at)
        for start, group in zip(starts, groups, strict=True)
    ]


def _line(row: Sequence[str], columns: Sequence[int]) -> str:
    return "  ".join(padded(cell, size) for cell, size in zip(row, columns, strict=True)).rstrip()


def _page(head: str, lines: Sequence[str], listed: Sequence[ListedTarget], read_at: datetime | None) -> str:
    legend = ["", _LEGEND] if any(map(_has_own_settings, listed)) else []
    table = "\n".join(("```", head, *lines, *legend, "```"))
    problems = [f"⚠ {one.index}: {escape(one.watched.target.problem)}" for one in listed if one.watched.target.problem]
    read = f"I last read Pinball Map {moment(read_at)}." if read_at else "I haven’t read Pinball Map yet."
    return "\n".join((table, read, fit(problems, _PROBLEMS_LIMIT))).rstrip()


def _has_own_settings(one: ListedTarget) -> bool:
    target = one.watched.target
    return target.poll_rate_minutes is not None or target.kinds is not None


def _row(one: ListedTarget) -> tuple[str, ...]:
    watched = one.watched
    return (
        str(one.index),
        _name(watched),
        short_rate(watched.poll_rate) + _mark(watched.target.poll_rate_minutes),
        short_kinds(watched.kinds) + _mark(watched.target.kinds),
    )


def _name(watched: WatchedTarget) -> str:
    # A backtick would end the code block that keeps the columns aligned.
    name = clean(label(watched.target)).replace("`", "’")
    mark = "⚠ " if watched.target.problem else ""
    radius = f" ({tenths(area.radius)} mi)" if (area := watched.target.area) else ""
    return mark + _isolated(_shortened(name, NAME_COLUMNS - width(mark + radius))) + radius


def _isolated(name: str) -> str:
    """Keep a name in Hebrew or Arabic from reversing the columns around it."""
    is_right_to_left = any(unicodedata.bidirectional(character) in ("R", "AL") for character in name)
    return f"\u2068{name}\u2069" if is_right_to_left else name


def _mark(own: object) -> str:
    return "" if own is None else _OWN


def short_kinds(kinds: Kinds) -> str:
    """Such as "machines, scores", or "machines, scores +1" to keep the table narrow."""
    shown, left = kinds.in_order[:_KINDS_SHOWN], len(kinds) - _KINDS_SHOWN
    return ", ".join(shown) + (f" +{left}" if left > 0 else "")


def short_rate(rate: timedelta) -> str:
    """Such as "60 min"."""
    return f"{rate // timedelta(minutes=1)} min"
