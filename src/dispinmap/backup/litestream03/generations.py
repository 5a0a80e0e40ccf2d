"""What a replica of Litestream 0.3 holds, from the names and times of its objects (pure).

Below its path are `generations/<16 hex digits>/snapshots/<index>.snapshot.lz4` and `.../wal/<index>_<offset>.wal.lz4`:
copies of the database file, and segments of its write-ahead logs. The index counts the logs, the offset the bytes in a
log; both have 8 hex digits. A snapshot is consistent only together with the log of the same index.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, takewhile

from dispinmap.backup.errors import NoBackup, RestoreFailed
from dispinmap.backup.models import Replica, RestorePoint
from dispinmap.backup.storage.store import StoredObject

_NAME = re.compile(
    r"(?:^|/)generations/(?P<generation>[0-9a-f]{16})/"
    r"(?:snapshots/(?P<snapshot>[0-9a-f]{8})\.snapshot|wal/(?P<index>[0-9a-f]{8})_(?P<offset>[0-9a-f]{8})\.wal)\.lz4$"
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole database file, copied while log `index` was written."""

    index: int
    stored: StoredObject


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes of log `index`, starting at `offset`."""

    index: int
    offset: int
    stored: StoredObject


@dataclass(frozen=True, slots=True)
class Generation:
    """One unbroken history of the database. Snapshots and segments are sorted by position."""

    name: str
    snapshots: Sequence[Snapshot]
    segments: Sequence[Segment]

    def lasted(self, at: datetime | None = None) -> tuple[datetime, datetime]:
        """When its newest object (up to `at`) and its first object were stored.

        Some storage has times in whole seconds, so two generations can end at the same time. The one that began later
        is newer.
        """
        times = [one.stored.updated_at for each in (self.snapshots, self.segments) for one in each]
        return max(time for time in times if at is None or time <= at), min(times)


@dataclass(frozen=True, slots=True)
class Plan:
    """How to build one state: a snapshot, and the segments to apply to it, in order."""

    generation: str
    snapshot: Snapshot
    segments: Sequence[Segment]

    @property
    def objects(self) -> list[StoredObject]:
        return [self.snapshot.stored, *(segment.stored for segment in self.segments)]


def generations(listing: Sequence[StoredObject]) -> list[Generation]:
    """Every generation in the listing, sorted by name. Names are random and say nothing about age."""
    snapshots: dict[str, list[Snapshot]] = {}
    segments: dict[str, list[Segment]] = {}
    for stored in listing:
        if (match := _NAME.search(stored.key)) is None:
            continue
        name = match["generation"]
        if match["snapshot"]:
            snapshots.setdefault(name, []).append(Snapshot(int(match["snapshot"], 16), stored))
        else:
            segments.setdefault(name, []).append(Segment(int(match["index"], 16), int(match["offset"], 16), stored))
    return [
        Generation(
            name,
            sorted(snapshots.get(name, ()), key=lambda one: one.index),
            sorted(segments.get(name, ()), key=lambda one: (one.index, one.offset)),
        )
        for name in sorted(snapshots.keys() | segments.keys())
    ]


def restore_points(listing: Sequence[StoredObject]) -> list[RestorePoint]:
    """Every state that can be restored, newest first. Changes count only if there is a snapshot before them."""
    found = [
        point
        for generation in generations(listing)
        if generation.snapshots
        for point in (
            *(_point(generation, f"{one.index:08x}", "snapshot", one.stored) for one in generation.snapshots),
            *(
                _point(generation, f"{one.index:08x}_{one.offset:08x}", "changes", one.stored)
                for one in generation.segments
                if one.index >= generation.snapshots[0].index
            ),
        )
    ]
    return sorted(found, key=lambda point: (point.created_at, point.position), reverse=True)


def _point(generation: Generation, position: str, kind: str, stored: StoredObject) -> RestorePoint:
    return RestorePoint(generation.name, position, kind, stored.size, stored.updated_at)


def plan(
    replica: Replica, listing: Sequence[StoredObject], *, at: datetime | None = None, generation: str | None = None
) -> Plan:
    """How to build the newest state, or the last state stored by `at`, of the newest or the named generation.

    `replica` is for error messages. Raises NoBackup if there is nothing (from that time, or of that name), and
    RestoreFailed if there are changes without any snapshot.
    """
    chosen = _choose(replica, listing, at, generation)
    snapshot = _snapshot(chosen, at)
    if snapshot is None:
        raise (RestoreFailed if at is None else NoBackup)(
            f"Generation {chosen.name} of {replica} has no snapshot{_by(at)}, and its changes are useless without "
            "one: `dispinmap backup fetch` can get another generation with --generation."
        )
    after = [segment for segment in chosen.segments if segment.index >= snapshot.index]
    return Plan(chosen.name, snapshot, tuple(takewhile(lambda one: at is None or one.stored.updated_at <= at, after)))


def holes(plan: Plan) -> list[str]:
    """What is missing between the snapshot and the end, as far as object names show it, one sentence each.

    Names do not show whether the end of a log is missing. Litestream does not notice that either, and it silently skips
    what is reported here.
    """
    found: list[str] = []
    expected = plan.snapshot.index
    for index, segments in groupby(plan.segments, key=lambda one: one.index):
        if index > expected:
            found.append(f"Generation {plan.generation} has nothing of WAL {_span(expected, index - 1)}.")
        if (first := next(segments)).offset:
            found.append(f"Generation {plan.generation} has nothing of WAL {index:08x} before byte {first.offset}.")
        expected = index + 1
    return found


def _choose(replica: Replica, listing: Sequence[StoredObject], at: datetime | None, name: str | None) -> Generation:
    present = generations(listing)
    if not present:
        raise NoBackup(_nothing(replica, listing))
    named = [one for one in present if name in (None, one.name)]
    if not named:
        raise NoBackup(f"{replica} has no generation {name}, but {', '.join(one.name for one in present)}.")
    by_then = [one for one in named if at is None or one.lasted()[1] <= at]
    if not by_then:
        first = min(one.lasted()[1] for one in named)
        raise NoBackup(f"{replica} holds nothing from that time: it begins at {first:%Y-%m-%d %H:%M:%S} UTC.")
    return max(by_then, key=lambda one: one.lasted(at))


def _nothing(replica: Replica, listing: Sequence[StoredObject]) -> str:
    if any(one.key.endswith(".ltx") for one in listing):
        return f"{replica} holds a replica of Litestream 0.5, not of 0.3: use `dispinmap backup restore`."
    return f"{replica} holds no replica of Litestream 0.3: check the address; it must end with the replica's path."


def _snapshot(generation: Generation, at: datetime | None) -> Snapshot | None:
    """The newest snapshot whose log is stored too; if there is none, the oldest, because a snapshot alone can be torn.

    Litestream stores the snapshot first. A segment stored after it covers the moment of the snapshot. A segment stored
    in the same second may not: S3 has times in whole seconds.
    """
    stored = [one for one in generation.snapshots if at is None or one.stored.updated_at <= at]
    whole = [one for one in stored if any(_covers(segment, one, at) for segment in generation.segments)]
    return next(iter([*reversed(whole), *stored]), None)


def _covers(segment: Segment, snapshot: Snapshot, at: datetime | None) -> bool:
    stored_at = segment.stored.updated_at
    return (
        segment.index >= snapshot.index and stored_at > snapshot.stored.updated_at and (at is None or stored_at <= at)
    )


def _by(at: datetime | None) -> str:
    return "" if at is None else f" of {at:%Y-%m-%d %H:%M:%S} UTC or before"


def _span(first: int, last: int) -> str:
    return f"{first:08x}" if first == last else f"{first:08x} to {last:08x}"
