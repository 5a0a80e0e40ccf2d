"""Which notifications leave together: one card per location, at most 10 cards in a message."""

from base64 import b32encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final

from dispinmap.outbox.destination import Card
from dispinmap.outbox.notifications import Notification

MAX_CARDS: Final = 10
MAX_CHARACTERS: Final = 6000
"""Discord's limits for one message: embeds, and characters of all embeds together."""
CARD_CHARACTERS: Final = 2000
"""A card longer than this is split, so that it stays readable and nothing in it has to be cut."""
NONCE_LENGTH: Final = 25

Measure = Callable[[Card], int]
"""The number of characters Discord counts in a card."""


def first_message(notifications: Iterable[Notification], measure: Measure) -> tuple[Card, ...]:
    """The cards of the next message: as many of these (oldest first) as fit into one."""
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
    """One card per location, in the order of their oldest news; one that grows too long is split.

    A card is made when it is asked for: measuring is the costly part, and a message holds a few of very many.
    """
    groups: dict[object, list[Notification]] = {}
    for each in notifications:
        groups.setdefault(_place(each), []).append(each)
    for group in groups.values():
        yield from _split(group, measure)


def _place(notification: Notification) -> object:
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
    """The message's nonce, the same whenever the same submissions go to the same channel."""
    text = f"{channel_id}:{','.join(map(str, sorted(submission_ids)))}"
    return b32encode(sha256(text.encode()).digest()).decode()[:NONCE_LENGTH]
