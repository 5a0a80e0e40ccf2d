"""The kinds of submissions that a channel or target wants. Only this module reads and writes their text."""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Final, Self


class NotificationKind(StrEnum):
    """One kind of submission. Several kinds are written in this order."""

    MACHINES = "machines"
    COMMENTS = "comments"
    SCORES = "scores"
    CONFIRMATIONS = "confirmations"
    PLACES = "places"
    ALL = "all"


class Kinds(frozenset[NotificationKind]):
    """At least one kind, written "machines,scores" in `notification_types`.

    `all` covers every submission type, including types that Pinball Map adds later. It replaces all other kinds, but
    listing all other kinds is not the same as `all`.
    """

    __slots__ = ()

    def __new__(cls, kinds: Iterable[NotificationKind]) -> Self:
        chosen = frozenset(kinds)
        if not chosen:
            raise ValueError("Kinds are never empty: use None for a setting that is not set.")
        return super().__new__(cls, {NotificationKind.ALL} if NotificationKind.ALL in chosen else chosen)

    @classmethod
    def of(cls, *kinds: NotificationKind) -> Self:
        return cls(kinds)

    @property
    def in_order(self) -> tuple[NotificationKind, ...]:
        return tuple(kind for kind in NotificationKind if kind in self)

    def __str__(self) -> str:
        return ",".join(self.in_order)


DEFAULT_KINDS: Final = Kinds.of(NotificationKind.MACHINES)
EVERY_KIND: Final = Kinds.of(NotificationKind.ALL)

_BETWEEN = re.compile(r"(?:[\s,;+&]|\band\b)+", re.IGNORECASE)


def kind_words(text: str) -> list[str]:
    """The words of "machines, scores and places", in lower case, whether they name a kind or not."""
    return [word for word in _BETWEEN.split(text.lower()) if word]


def kind_or_none(word: str) -> NotificationKind | None:
    """The kind that the word names, in upper or lower case; None if it names none."""
    return next((kind for kind in NotificationKind if kind == word.lower()), None)


def kinds_or_none(stored: object) -> Kinds | None:
    """Stored kinds, in any order; None (inherit) if the text names none.

    Words that name no kind are ignored: someone who wrote "machines, scroes" by hand still wants machines.
    `dispinmap db verify` lists those words.
    """
    return _read(stored) if isinstance(stored, str) else None


@lru_cache(maxsize=256)
def _read(stored: str) -> Kinds | None:
    """Cached, because very many rows hold the same few texts."""
    kinds = [kind for kind in map(kind_or_none, kind_words(stored)) if kind is not None]
    return Kinds(kinds) if kinds else None


def stored_kinds(kinds: Kinds | None) -> str | None:
    """The text for `notification_types`; NULL for a setting that is not set."""
    return None if kinds is None else str(kinds)


def unknown_words(stored: str) -> list[str]:
    """The words of a stored text that name no kind."""
    return [word for word in kind_words(stored) if kind_or_none(word) is None]
