"""When a lease may be taken, is renewed and is given up (pure).

To take a lease we never compare the clocks of two machines. A waiting bot measures on its own clock how long a version
has been unchanged since it first read it. The holder measures on its own clock how long ago it sent its last successful
write. The write was sent before anyone could read it, and the holder stops after three quarters of the time, so the
holder always stops before another bot takes the lease, even if the clocks run at slightly different speeds.
"""

from dataclasses import dataclass
from datetime import datetime

from dispinmap.backup.models import LeaseRecord


@dataclass(frozen=True, slots=True)
class Sighting:
    """A lease as we read it; `since` is when, on our monotonic clock, we first read this version."""

    record: LeaseRecord
    version: str
    since: float


def sighting(before: Sighting | None, record: LeaseRecord, version: str, now: float) -> Sighting:
    """The sighting of a lease read at `now`; `before` is the previous one."""
    return Sighting(record, version, before.since if before is not None and before.version == version else now)


def may_take(seen: Sighting, now: float) -> bool:
    """Whether the lease is certainly free. The holder's own `seconds` count, not our setting."""
    return seen.record.released or now - seen.since >= seen.record.seconds


def looks_alive(record: LeaseRecord, now: datetime) -> bool:
    """Whether the holder renewed the lease lately, by the time of day.

    Clocks may differ, so this is good enough to leave a lease alone, but not to take it.
    """
    return not record.released and abs((now - record.renewed_at).total_seconds()) < record.seconds


def trusted_for(seconds: float) -> float:
    """How long a holder may use the lease after it sent its last successful renewal."""
    return seconds * 3 / 4


def renewal_interval(seconds: float) -> float:
    """How often a holder renews: if one renewal fails, there is time to try again before `trusted_for` ends."""
    return seconds / 3


def retry_pause(seconds: float) -> float:
    """The pause after a failed attempt to renew."""
    return seconds / 20


def retry_interval(seconds: float) -> float:
    """How often a waiting bot reads the lease."""
    return min(1.0, seconds / 20)


def in_use(name: str, record: LeaseRecord) -> str:
    """Who holds the replica called `name`, as the beginning of a sentence."""
    return (
        f"{name} is in use by the bot {record.holder} on {record.host}, which last renewed its lease at "
        f"{record.renewed_at:%Y-%m-%d %H:%M:%S} UTC"
    )


def held_sentence(name: str, record: LeaseRecord) -> str:
    """Who holds the replica called `name`, and how to get it."""
    return (
        f"{in_use(name, record)}: stop that bot; if it has ended already, the lease is free "
        f"within {record.seconds:g} seconds."
    )
