"""When a lease is taken, renewed and given up.

No rule compares the clocks of two machines. A watcher measures, on its own clock, how long a version has stood since
it first read it; a holder, on its own, how long ago it sent the last write that succeeded. The write came before the
watcher could read it, so the holder's time runs out first, by the quarter that it does not use.
"""

from dataclasses import dataclass
from datetime import datetime

from dispinmap.backup.models import LeaseRecord


@dataclass(frozen=True, slots=True)
class Sighting:
    """A lease as it was read; `since` is when, on the watcher's monotonic clock, it first stood there like this."""

    record: LeaseRecord
    version: str
    since: float


def sighting(before: Sighting | None, record: LeaseRecord, version: str, now: float) -> Sighting:
    """What was read at `now` by one who last saw `before`."""
    return Sighting(record, version, before.since if before is not None and before.version == version else now)


def may_take(seen: Sighting, now: float) -> bool:
    """Whether nobody can hold it any more. The time counts that its holder goes by, not the watcher's setting."""
    return seen.record.released or now - seen.since >= seen.record.seconds


def looks_alive(record: LeaseRecord, now: datetime) -> bool:
    """Whether, going by the time of day, its holder has renewed it lately: good enough to leave it alone."""
    return not record.released and abs((now - record.renewed_at).total_seconds()) < record.seconds


def trusted_for(seconds: float) -> float:
    """How long a holder may use the lease after it sent the last renewal that succeeded."""
    return seconds * 3 / 4


def renewal_interval(seconds: float) -> float:
    """Twice more can be tried before the trust runs out."""
    return seconds / 3


def retry_pause(seconds: float) -> float:
    """Between attempts to renew that fail."""
    return seconds / 20


def watch_interval(seconds: float) -> float:
    """How often one who waits looks whether the lease was released."""
    return min(1.0, seconds / 20)


def in_use(name: str, record: LeaseRecord) -> str:
    """Who holds the replica called `name`, as words to go on from."""
    return (
        f"{name} is in use by the bot {record.holder} on {record.host}, which last said so at "
        f"{record.renewed_at:%Y-%m-%d %H:%M:%S} UTC"
    )


def held_sentence(name: str, record: LeaseRecord) -> str:
    """Who holds the replica called `name`, and how to have it."""
    return (
        f"{in_use(name, record)}: stop that one; if it is gone already, the lease is free "
        f"within {record.seconds:g} seconds."
    )
