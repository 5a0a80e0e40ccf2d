"""Check single values. A value that Litestream would refuse, crash on or misread gets a sentence and a cure."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from dispinmap.backup.configuration.keys import Kind

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


_CHECKS: Final[Mapping[Kind, Callable[[object], tuple[str, str] | None]]] = {
    Kind.TEXT: _text,
    Kind.TEXTS: _texts,
    Kind.FLAG: _flag,
    Kind.NUMBER: _number,
    Kind.SIZE: _size,
    Kind.DURATION: _duration,
    Kind.PERIOD: _period,
}
