"""Which channel is promised which submission, and when it is due there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispinmap.matching.index import TargetIndex
from dispinmap.pinballmap.models import Submission
from dispinmap.targets.models import WatchedTarget

Pair = tuple[int, int]
"""A channel id and a submission id."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A notification to be: this submission goes to this channel, because of this target."""

    channel_id: int
    target_id: int
    submission: Submission
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A removal that was promised to a channel earlier and has not left yet."""

    channel_id: int
    submission: Submission


def due_at(watched: WatchedTarget, now: datetime, interval: timedelta) -> datetime:
    """When something found at `now` is due: at once, unless the target was served less than its poll rate ago.

    A target that wants news as often as there are polls, one each `interval`, gets it from each of them. Nobody waits
    longer than the poll rate, even if the clock was put back since the target was served.
    """
    if watched.poll_rate <= interval:
        return now
    return min(max(now, watched.due_at), now + watched.poll_rate)


def promised(index: TargetIndex, rows: Iterable[Submission], now: datetime, interval: timedelta) -> list[Promise]:
    """One promise per submission and channel; of several targets of a channel the one served first makes it."""
    promises: dict[tuple[int, int], Promise] = {}
    for row in rows:
        for watched in index.announcing(row):
            target = watched.target
            promise = Promise(target.channel_id, target.id, row, due_at(watched, now, interval))
            known = promises.get((row.id, target.channel_id))
            if known is None or (promise.due_at, promise.target_id) < (known.due_at, known.target_id):
                promises[row.id, target.channel_id] = promise
    return list(promises.values())
