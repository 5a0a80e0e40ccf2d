"""The settle window: a machine that leaves and comes straight back is no news."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from dispinmap.matching.promises import Held, Pair, Promise
from dispinmap.pinballmap.models import Submission, SubmissionType

GRACE: Final = timedelta(seconds=5)
"""Time for the poll that ends a window to finish before the removal leaves."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is left to announce, and which notifications saved earlier are no news after all."""

    promises: list[Promise]
    cancelled: frozenset[Pair]


@dataclass(frozen=True, slots=True)
class Settling:
    """The rule's two times: how long a removal is held, and how often the feed is looked at."""

    window: timedelta
    interval: timedelta


def settle(
    promises: Iterable[Promise],
    news: Iterable[Submission],
    held: Iterable[Held],
    now: datetime,
    settling: Settling,
    known: Iterable[Submission] = (),
) -> Settlement:
    """Take out what was undone, and hold the removals that may yet be.

    `news` are the new submissions that `promises` were made of; `held` are the removals of earlier polls; `known` are
    other submissions of late, among which a removal that shows late may find the return that undid it.
    """
    fresh = {row.id: row for row in news}
    waiting: defaultdict[int, set[int]] = defaultdict(set)
    rows = {row.id: row for row in known} | fresh
    for row in held:
        waiting[row.submission.id].add(row.channel_id)
        rows[row.submission.id] = row.submission
    dropped: set[int] = set()
    dropped_in: set[Pair] = set()
    cancelled: set[Pair] = set()
    for removal, addition in returns(rows.values(), settling.window):
        if removal.id in fresh:
            dropped |= {removal.id, addition.id}
        else:
            # Where the removal has left already, the return is news.
            cancelled |= {(channel_id, removal.id) for channel_id in waiting[removal.id]}
            dropped_in |= {(channel_id, addition.id) for channel_id in waiting[removal.id]}
    kept = [
        _held_back(promise, now, settling)
        for promise in promises
        if promise.submission.id not in dropped and (promise.channel_id, promise.submission.id) not in dropped_in
    ]
    return Settlement(kept, frozenset(cancelled))


def returns(rows: Iterable[Submission], window: timedelta) -> list[tuple[Submission, Submission]]:
    """Pairs of a removal and the addition that undid it within `window`, in the order of their creation.

    Without a window there are none.
    """
    if not window:
        return []
    gone: dict[tuple[int, int], Submission] = {}
    pairs = []
    for row in sorted(rows, key=lambda row: (row.created_at, row.id)):
        if row.location_id is None or row.machine_id is None:
            continue
        place = row.location_id, row.machine_id
        if row.type == SubmissionType.REMOVE_MACHINE:
            gone[place] = row
        elif row.type == SubmissionType.NEW_LMX:
            removal = gone.pop(place, None)
            if removal is not None and row.created_at - removal.created_at <= window:
                pairs.append((removal, row))
    return pairs


def hold_until(removed_at: datetime, now: datetime, settling: Settling) -> datetime:
    """When a removal seen at `now` may leave: after the first poll that can see its whole window.

    One that claims to be of the future is taken to be of now.
    """
    rest = min(removed_at, now) + settling.window - now
    if rest <= timedelta(0):
        return now
    return now + ceil(rest / settling.interval) * settling.interval + GRACE


def _held_back(promise: Promise, now: datetime, settling: Settling) -> Promise:
    if promise.submission.type != SubmissionType.REMOVE_MACHINE:
        return promise
    return replace(promise, due_at=max(promise.due_at, hold_until(promise.submission.created_at, now, settling)))
