"""The heartbeat, the drills, and what a restore left in doubt."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.tables import DrillRow, HeartbeatRow, SubmissionRow
from dispinmap.health import DrillState

LONGEST_SLOW_CLOCK: Final = timedelta(days=1)
"""By how much ours may be behind Pinball Map's; past that it is a row of theirs that is wrong."""
_ONLY = 1


async def beat(session: AsyncSession, now: datetime, holder: str, after: str | None = None) -> None:
    """Write the heartbeat. The first one of a holder remembers whom it took over from: `after`, else who stands there.

    The very first one counts as a restore too: a copy of a database from before there were heartbeats cannot tell.
    """
    row = await session.get(HeartbeatRow, _ONLY)
    if row is None:
        row = HeartbeatRow(id=_ONLY, restored_at=now)
        session.add(row)
    if row.holder != holder:
        row.previous_holder, row.holder = after or row.holder, holder
    row.beat_at = now


async def mark_restored(session: AsyncSession, now: datetime) -> None:
    """From now on what was created up to `now`, or is here already, is looked for in a channel before it is posted."""
    row = await session.get(HeartbeatRow, _ONLY)
    if row is None:
        row = HeartbeatRow(id=_ONLY)
        session.add(row)
    row.restored_at = in_doubt_until(now, await session.scalar(select(func.max(SubmissionRow.created_at))))


async def doubt_first_answer(session: AsyncSession, last_polled_at: datetime | None, newest: datetime) -> None:
    """Pinball Map's first answer after a restore, the former one being of `last_polled_at`: `newest` may be posted too.

    When something was created is said by Pinball Map's clock, and when the database was restored by ours.
    """
    row = await session.get(HeartbeatRow, _ONLY)
    if row is None or row.restored_at is None:
        return
    if last_polled_at is None or last_polled_at <= row.restored_at:
        row.restored_at = in_doubt_until(row.restored_at, newest)


def in_doubt_until(restored_at: datetime, newest: datetime | None) -> datetime:
    """Until when what was created may have been posted before a restore, `newest` of it being known by then (pure)."""
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

    One that is yet to come was stored before the clock was put right, and counts for nothing.
    """
    past = select(DrillRow).where(DrillRow.finished_at <= now)
    query = past.order_by(DrillRow.finished_at.desc(), DrillRow.id.desc()).limit(1)
    row = await session.scalar(query.where(DrillRow.problem.is_(None)) if good else query)
    return None if row is None else DrillState(row.finished_at, row.restore_seconds, row.heartbeat_at, row.problem)
