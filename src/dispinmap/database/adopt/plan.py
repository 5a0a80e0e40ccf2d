"""Which adopted targets are added, and which are merged into existing ones (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dispinmap.database.adopt.staging import Key
from dispinmap.database.migrations.merging import wider_rate
from dispinmap.targets.kinds import Kinds
from dispinmap.targets.models import Channel

T = TypeVar("T", int, Kinds)


@dataclass(frozen=True, slots=True)
class Known:
    """A target of either database. None as a setting means the channel's."""

    id: int
    key: Key
    poll_rate_minutes: int | None
    kinds: Kinds | None

    @property
    def channel_id(self) -> int:
        return self.key[0]


@dataclass(frozen=True, slots=True)
class Step:
    """What to do with the adopted target `source_id`: add it, or merge it into the target `into`."""

    source_id: int
    poll_rate_minutes: int | None
    kinds: Kinds | None
    into: int | None = None


def plan(
    adopted: Sequence[Known],
    their_channels: Mapping[int, Channel],
    existing: Sequence[Known],
    our_channels: Mapping[int, Channel],
) -> list[Step]:
    """One step for each adopted target. Existing channels keep their settings.

    A target receives as often and as much as before. If the existing channel's settings differ from those of its old
    channel, it keeps the old ones as its own. If it is merged into an equal target, that one gets the shorter poll rate
    and the kinds of both.
    """
    there = {known.key: known for known in existing}
    steps = []
    for one in adopted:
        theirs = their_channels[one.channel_id]
        ours = our_channels.get(one.channel_id, theirs)
        rate = _unless(one.poll_rate_minutes, theirs.poll_rate_minutes, ours.poll_rate_minutes)
        kinds = _unless(one.kinds, theirs.kinds, ours.kinds)
        equal = there.get(one.key)
        if equal is None:
            steps.append(Step(one.id, rate, kinds))
        else:
            rate = wider_rate([equal.poll_rate_minutes, rate], ours.poll_rate_minutes)
            kinds = _both(equal.kinds, kinds, ours.kinds)
            steps.append(Step(one.id, rate, kinds, equal.id))
    return steps


def _both(one: Kinds | None, other: Kinds | None, channel: Kinds) -> Kinds | None:
    """The kinds of both. None means the channel's, and is returned if that is the result and one of the two is None."""
    kinds = Kinds((one or channel) | (other or channel))
    return None if kinds == channel and None in (one, other) else kinds


def _unless(own: T | None, theirs: T, ours: T) -> T | None:
    """The target's own setting, or its old channel's if the new channel's differs."""
    if own is not None or theirs == ours:
        return own
    return theirs
