"""Pauses that double after each failure (pure)."""

from datetime import timedelta
from typing import Final, TypeVar

DOUBLINGS: Final = 16
"""More would only make a huge number before the limit applies."""

Span = TypeVar("Span", float, timedelta)


def pause_after(failures: int, first: Span, longest: Span) -> Span:
    """How long to wait after `failures` (1 or more) in a row: `first`, then twice as long each time up to `longest`."""
    return min(first * (1 << min(failures - 1, DOUBLINGS)), longest)
