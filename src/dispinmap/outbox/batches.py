"""Which notifications leave together: one card per location, at most 10 cards per message (pure)."""

from base64 import b32encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final

from dispinmap.outbox.destination import Card
from dispinmap.outbox.models import Notification

MAX_CARDS: Final = 10
MAX_CHARACTERS: Final = 6000
"""Discord's limits for one message: the number of embeds, and the characters of all embeds together."""
CARD_CHARACTERS: Final = 2000
"""A longer card is split, so that it stays readable and nothing has to be cut."""
NONCE_LENGTH: Final = 25

Measure = Callable[[Card], int]
"""The number of characters Discord counts in a card."""


def first_message(notifications: Iterable[Notification], measure: Measure) -> tuple[Card, ...]:
    """The cards of the next message. It holds as many of the notifications (oldest first) as fit."""
    message: list[Card] = []
    room = MAX_CHARACTERS
    for card in cards(notifications, measure):
        room -= measure(card)
        if message and room < 0:
            break
        message.append(card)
        if len(message) == MAX_CARDS:
            break
    return tuple(message)


def cards(notifications: Iterable[Notification], measure: Measure) -> Iterator[Card]:
    """One card per location, or several if one would be too long, in the order of their oldest notifications.

    This is a generator because measuring is slow, and a message only takes a few of possibly very many cards.
    """
    groups: dict[object, list[Notification]] = {}
    for each in notifications:
        groups.setdefault(_location(each), []).append(each)
    for group in groups.values():
        yield from _split(group, measure)


def _location(notification: Notification) -> object:
    row = notification.submission
    return (row.location_name, row.latitude, row.longitude) if row.location_id is None else row.location_id


def _split(group: Sequence[Notification], measure: Measure) -> Iterator[Card]:
    start = 0
    for end in range(1, len(group) + 1):
        if end - start > 1 and measure(Card(tuple(group[start:end]))) > CARD_CHARACTERS:
            yield Card(tuple(group[start : end - 1]))
            start = end - 1
    yield Card(tuple(group[start:]))


def nonce(channel_id: int, submission_ids: Iterable[int]) -> str:
    """The key by which Discord recognises a repeated message: the same for the same submissions and channel."""
    text = f"{channel_id}:{','.join(map(str, sorted(submission_ids)))}"
    return b32encode(sha256(text.encode()).digest()).decode()[:NONCE_LENGTH]
