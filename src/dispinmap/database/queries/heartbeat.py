"""The heartbeat, the drills, and what a restore left in doubt."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.tables import DrillRow, HeartbeatRow, SubmissionRow
from dispinmap.health import DrillState

LONGEST_SLOW_CLOCK: Final = timedelta(days=1)
"""How far our clock may be behind Pinball Map's. If a submission is newer than that, its time is wrong."""
_ONLY = 1


async def beat(session: AsyncSession, now: datetime, holder: str, after: str | None = None) -> None:
    """Write the heartbeat. A new holder also stores its predecessor: `after`, or the holder in the row if that is None.

    The very first heartbeat counts as a restore: without one, we cannot tell whether this database is a restored copy.
    """
    row = await session.get(HeartbeatRow, _ONLY)
    if row is None:
        row = HeartbeatRow(id=_ONLY, restored_at=now)
        session.add(row)
    if row.holder != holder:
        row.previous_holder, row.holder = after or row.holder, holder
    row.beat_at = now


async def mark_restored(session: AsyncSession, now: datetime) -> None:
    """Remember that the database was restored at `now`.

    From now on the sender looks into the channel before it posts a submission created up to `now`, or up to the newest
    one already stored (see `in_doubt_until`).
    """
    row = await session.get(HeartbeatRow, _ONLY)
    if row is None:
        row = HeartbeatRow(id=_ONLY)
        session.add(row)
    row.restored_at = in_doubt_until(now, await session.scalar(select(func.max(SubmissionRow.created_at))))


async def doubt_first_answer(session: AsyncSession, last_polled_at: datetime | None, newest: datetime) -> None:
    """If this is Pinball Map's first answer since a restore, extend the doubt to its `newest` submission.

    The previous answer came at `last_polled_at`. Creation times come from Pinball Map's clock and the time of the
    restore from ours: if our clock is behind, submissions from before the restore look newer than it.
    """
    row = await session.get(HeartbeatRow, _ONLY)
    if row is None or row.restored_at is None:
        return
    if last_polled_at is None or last_polled_at <= row.restored_at:
        row.restored_at = in_doubt_until(row.restored_at, newest)


def in_doubt_until(restored_at: datetime, newest: datetime | None) -> datetime:
    """Up to which creation time submissions may have been posted before a restore, given the `newest` one's (pure)."""
    return restored_at if newest is None else max(restored_at, min(newest, restored_at + LONGEST_SLOW_CLOCK))


async def restored_at(session: AsyncSession) -> datetime | None:
    """When this database was last restored from a backup, None if never."""
    return await session.scalar(select(HeartbeatRow.restored_at).where(HeartbeatRow.id == _ONLY))


async def save_drill(session: AsyncSession, drill: DrillState) -> None:
    session.add(
        DrillRow(
            finished_at=drill.finished_at,
            restore_seconds=drill.restore_seconds,
            heartbeat_at=drill.heartbeat_at,
            problem=drill.problem,
        )
    )


async def last_drill(session: AsyncSession, now: datetime, *, good: bool = False) -> DrillState | None:
    """The newest drill, or with `good` the newest one without a problem.

    A drill with a time in the future is ignored: the clock was corrected since.
    """
    past = select(DrillRow).where(DrillRow.finished_at <= now)
    query = past.order_by(DrillRow.finished_at.desc(), DrillRow.id.desc()).limit(1)
    row = await session.scalar(query.where(DrillRow.problem.is_(None)) if good else query)
    return None if row is None else DrillState(row.finished_at, row.restore_seconds, row.heartbeat_at, row.problem)
