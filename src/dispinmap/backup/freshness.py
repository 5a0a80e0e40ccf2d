"""Whether a database or a copy is the newest state (pure)."""

from datetime import timedelta
from typing import Final

from dispinmap.backup.inspection import Inspection
from dispinmap.backup.models import Heartbeat, LeaseRecord

BOT_TABLES: Final = frozenset({"submissions", "seen_submissions", "notifications", "messages", "drills"})
"""Tables the bot itself changes all the time. The others change only by people's commands."""
ROWS_UNDER_WAY: Final = 2000
"""More rows than the bot adds or deletes in the seconds a good copy is behind: ten full pages of the feed."""
MAX_LAG: Final = timedelta(minutes=2)
"""Four heartbeats: enough time to upload one of them."""


def is_newest(local: Heartbeat | None, previous: LeaseRecord | None) -> bool:
    """Whether the last writer wrote to this file, and the file has all its heartbeats that the replica holds.

    `local` is the file's heartbeat, `previous` the lease before we took it. A new holder writes its name to the file
    first and to the lease second. If it crashes in between, the lease still names the writer before it, so the file
    keeps that name as `previous_holder`. If the replica holds a later heartbeat than the file, the disk was set back or
    lost writes in a power cut.
    """
    if previous is None or previous.writer is None:
        return True
    if local is None or previous.writer not in (local.holder, local.previous_holder):
        return False
    return previous.heartbeat_at is None or local.beat_at >= previous.heartbeat_at


def is_later_elsewhere(local: Heartbeat, previous: LeaseRecord) -> bool:
    """Whether an unknown bot wrote to this file after the lease's last writer had stopped.

    Such a bot had its lease elsewhere: a bot that loses this lease stops writing before the next holder starts. We
    compare the clocks of two machines here. If they differ by more than the last writer's run, an old file gives the
    same answer, so callers must stop and let the operator decide.
    """
    known = previous.writer in (None, local.holder, local.previous_holder)
    return not known and local.beat_at > previous.written_until


def staleness(copy: Inspection, lease: LeaseRecord | None) -> str | None:
    """Why the copy is not the newest state; None if it may be.

    Either its heartbeat is older than one the lease knows the replica to hold. Or its heartbeat is later and from a bot
    other than the last writer: files stored while a clock was ahead keep the latest times, and Litestream may restore
    the file with the latest time.
    """
    if lease is None:
        return None
    if copy.heartbeat is not None and is_later_elsewhere(copy.heartbeat, lease):
        return (
            f"The copy was written until {copy.heartbeat.beat_at:%Y-%m-%d %H:%M:%S} UTC, but the last writer was "
            f"another bot, until {lease.written_until:%Y-%m-%d %H:%M:%S} UTC: a clock was ahead, and what was stored "
            "then looks newest. Run `dispinmap backup restore --at` with the second time to restore the right state."
        )
    expected = lease.heartbeat_at
    if expected is None or (copy.heartbeat is not None and copy.heartbeat.beat_at >= expected):
        return None
    ends = f"ends at {copy.heartbeat.beat_at:%Y-%m-%d %H:%M:%S} UTC" if copy.heartbeat else "has no heartbeat"
    return f"The copy {ends}, but the replica already held everything up to {expected:%Y-%m-%d %H:%M:%S} UTC."


def lag(copy: Inspection, live: Inspection) -> str | None:
    """Why the copy is too far behind the live database, or not from its newest state; None if it is fine."""
    if live.heartbeat is None:
        return None
    if copy.heartbeat is None:
        return "The live database has a heartbeat and the copy has none: the copy is from before the bot's last start."
    behind = live.heartbeat.beat_at - copy.heartbeat.beat_at
    related = live.heartbeat.holder in (copy.heartbeat.holder, copy.heartbeat.previous_holder)
    if behind < timedelta(0) and not related:
        return (
            "The copy has a later heartbeat than the live database, from an earlier run of the bot: a clock was ahead "
            "then, and what was stored then looks newest."
        )
    return f"The copy is {behind.total_seconds():.0f} seconds behind the live database." if behind > MAX_LAG else None


def compare(copy: Inspection, *live: Inspection) -> list[str]:
    """Which tables of the copy have too few or too many rows for a copy of the live database; empty if none.

    If no bot runs, pass one inspection of the live database. If a bot runs, pass one from before the copy was made and
    one from after it: each table's row count must be between the two. In `BOT_TABLES`, `ROWS_UNDER_WAY` more or fewer
    rows are fine.
    """
    revisions = {look.revision for look in live}
    if copy.revision not in revisions:
        return [f"The copy is at revision {copy.revision}, the live database at {live[-1].revision}."]
    names = sorted({*copy.rows, *(name for look in live for name in look.rows)})
    return [sentence for name in names if (sentence := _count_problem(name, copy, live))]


def _count_problem(name: str, copy: Inspection, live: tuple[Inspection, ...]) -> str | None:
    slack = ROWS_UNDER_WAY if name in BOT_TABLES and len(live) > 1 else 0
    counts = [look.rows.get(name, 0) for look in live]
    found = copy.rows.get(name, 0)
    if min(counts) - slack <= found <= max(counts) + slack:
        return None
    return f"{name} has {found} rows in the copy and {counts[-1]} in the live database."
