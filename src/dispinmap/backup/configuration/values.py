"""Check single values. A value that Litestream would refuse, crash on or misread gets a sentence and a cure."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from dispinmap.backup.configuration.findings import Finding, warning
from dispinmap.backup.configuration.schema import Kind

DEFAULT_DAY: Final = "24h"
"""The default retention of all versions of Litestream."""
_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_SIZE: Final = re.compile(r"[0-9]+(\.[0-9]+)? *([kmgtp]i?)?b?", re.IGNORECASE)
_DURATION_CURE: Final = "Write one such as 1s, 90m or 72h."


def seconds(value: object) -> float | None:
    """The seconds in a duration, as Go's time.ParseDuration reads it; None if it is not a duration."""
    if value == 0 and not isinstance(value, bool):
        return 0.0
    if not isinstance(value, str):
        return None
    digits = value.removeprefix("-")
    if digits == "0":
        return 0.0
    parts = _PART.findall(digits)
    if not parts or "".join(map("".join, parts)) != digits:
        return None
    total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return -total if value.startswith("-") else total


def problem(value: object, kind: Kind) -> tuple[str, str] | None:
    """Why `value` is not of that `kind`, and the cure; None if it is. An empty value counts as absent."""
    return None if value is None else _CHECKS[kind](value)


def _text(value: object) -> tuple[str, str] | None:
    # YAML turns an unquoted 010 into the number 8; Litestream reads the text 010.
    return None if isinstance(value, str) else ("It is not text.", "Write it in quotes.")


def _texts(value: object) -> tuple[str, str] | None:
    good = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return None if good else ("It is not a list of texts.", "Begin each with a dash, and write it in quotes.")


def _flag(value: object) -> tuple[str, str] | None:
    return None if isinstance(value, bool) else (f"“{value}” is neither true nor false.", "Write one, without quotes.")


def _number(value: object) -> tuple[str, str] | None:
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if good else (f"“{value}” is not a whole number.", "Write 0 or more, without quotes.")


def _size(value: object) -> tuple[str, str] | None:
    good = not isinstance(value, bool) and _SIZE.fullmatch(str(value))
    return None if good else (f"“{value}” is not a size.", "Write one such as 5MB.")


def _duration(value: object) -> tuple[str, str] | None:
    length = seconds(value)
    if length is None and isinstance(value, int | float) and not isinstance(value, bool):
        return f"Without a unit, {value} means {value} nanoseconds.", "Write the unit, such as 1s, 90m or 72h."
    if length is None:
        return f"“{value}” is not a duration.", _DURATION_CURE
    return None if length >= 0 else (f"“{value}” is below zero.", _DURATION_CURE)


def _period(value: object) -> tuple[str, str] | None:
    return _duration(value) or (None if seconds(value) else (f"“{value}” must be more than zero.", _DURATION_CURE))


def section(settings: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The mapping at `key`; empty if there is none."""
    value = settings.get(key)
    return value if isinstance(value, dict) else {}


def first(settings: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The first mapping in the list at `key`; empty if there is none."""
    value = settings.get(key)
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}


def short_retention(
    settings: Mapping[str, object], retention: str, interval: str, where: str, default: str | None
) -> Iterator[Finding]:
    """Warn of a retention shorter than the interval between snapshots; `retention` and `interval` are their keys.

    `default` is the interval if none is set; None means that Litestream keeps a recent enough snapshot anyway.
    """
    kept = seconds(settings.get(retention) or DEFAULT_DAY)
    between = seconds(settings.get(interval) or default)
    if kept and between and kept < between:
        yield warning(
            f"{where}.{retention}",
            f"It is shorter than the time between two snapshots ({interval}), so there may be no earlier state to "
            "restore.",
            f"Make {retention} a few times as long as {interval}.",
        )


_CHECKS: Final[Mapping[Kind, Callable[[object], tuple[str, str] | None]]] = {
    Kind.TEXT: _text,
    Kind.TEXTS: _texts,
    Kind.FLAG: _flag,
    Kind.NUMBER: _number,
    Kind.SIZE: _size,
    Kind.DURATION: _duration,
    Kind.PERIOD: _period,
}
