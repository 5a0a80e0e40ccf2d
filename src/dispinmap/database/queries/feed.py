"""How far the feed has been read."""

from datetime import timedelta

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from dispinmap.database.tables import ChannelConfigRow, FeedStateRow, MonitoringTargetRow
from dispinmap.feed.cursor import Cursor
from dispinmap.targets.models import DEFAULT_POLL_RATE_MINUTES, MAX_POLL_RATE_MINUTES, MIN_POLL_RATE_MINUTES

_ONLY = 1


async def cursor(session: AsyncSession) -> Cursor | None:
    """None before the bot's very first start."""
    row = await session.get(FeedStateRow, _ONLY)
    return None if row is None else Cursor(row.history_until, row.cursor_created_at, row.last_polled_at)


async def save_cursor(session: AsyncSession, cursor: Cursor) -> None:
    await session.merge(
        FeedStateRow(
            id=_ONLY,
            history_until=cursor.history_until,
            cursor_created_at=cursor.created_at,
            last_polled_at=cursor.last_polled_at,
        )
    )


async def smallest_poll_rate(session: AsyncSession) -> timedelta | None:
    """The smallest poll rate of any target of an active channel; None where nobody watches anything."""
    rate = func.coalesce(
        _possible(MonitoringTargetRow.poll_rate_minutes),
        _possible(ChannelConfigRow.poll_rate_minutes),
        DEFAULT_POLL_RATE_MINUTES,
    )
    minutes = await session.scalar(
        select(func.min(rate))
        .join(ChannelConfigRow, ChannelConfigRow.channel_id == MonitoringTargetRow.channel_id)
        .where(ChannelConfigRow.is_active.is_not(False))
    )
    return None if minutes is None else timedelta(minutes=minutes)


def _possible(minutes: InstrumentedAttribute[int | None]) -> ColumnElement[int | None]:
    """NULL in place of a stored rate that nobody could follow, as `poll_rate_or_none` has it."""
    return case((minutes.between(MIN_POLL_RATE_MINUTES, MAX_POLL_RATE_MINUTES), minutes))
