"""Which kinds of submissions a channel or target wants, and the one place where their text is read and written."""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Final, Self


class NotificationKind(StrEnum):
    """One kind of submission. The order is the one in which several are written."""

    MACHINES = "machines"
    COMMENTS = "comments"
    SCORES = "scores"
    CONFIRMATIONS = "confirmations"
    PLACES = "places"
    ALL = "all"


class Kinds(frozenset[NotificationKind]):
    """At least one kind, written "machines,scores" in `notification_types`.

    `all` covers every type, also those that Pinball Map adds later. It absorbs the other kinds, but naming each of
    them is not the same as `all`.
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
    """The kind that a word names, in any case."""
    return next((kind for kind in NotificationKind if kind == word.lower()), None)


@lru_cache(maxsize=1000)
def kinds_or_none(stored: object) -> Kinds | None:
    """Stored kinds, in any order; None (inherit) if the text names none.

    Words that name no kind are passed over: whoever wrote "machines, scroes" by hand still wants machines.
    `dispinmap db verify` names those words.
    """
    if not isinstance(stored, str):
        return None
    kinds = [kind for kind in map(kind_or_none, kind_words(stored)) if kind is not None]
    return Kinds(kinds) if kinds else None


def stored_kinds(kinds: Kinds | None) -> str | None:
    """As `notification_types` holds them; NULL for a setting that is not set."""
    return None if kinds is None else str(kinds)


def unknown_words(stored: str) -> list[str]:
    """The words of a stored text that name no kind."""
    return [word for word in kind_words(stored) if kind_or_none(word) is None]
