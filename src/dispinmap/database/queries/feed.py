"""How far the feed has been read, and how often to read it."""

from datetime import timedelta

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.tables import ChannelConfigRow, FeedStateRow, MonitoringTargetRow
from dispinmap.feed.cursor import Cursor
from dispinmap.feed.schedule import LONGEST_INTERVAL
from dispinmap.targets.models import MAX_POLL_RATE_MINUTES, MIN_POLL_RATE_MINUTES

_ONLY = 1


async def cursor(session: AsyncSession) -> Cursor | None:
    """None before the bot's very first start."""
    row = await session.get(FeedStateRow, _ONLY, populate_existing=True)
    if row is None:
        return None
    return Cursor(row.history_until, row.cursor_created_at, row.last_polled_at, row.reading_since, row.unread_before)


async def save_cursor(session: AsyncSession, cursor: Cursor) -> None:
    await session.merge(
        FeedStateRow(
            id=_ONLY,
            history_until=cursor.history_until,
            cursor_created_at=cursor.created_at,
            last_polled_at=cursor.last_polled_at,
            reading_since=cursor.reading_since,
            unread_before=cursor.unread_before,
        )
    )


async def smallest_poll_rate(session: AsyncSession) -> timedelta | None:
    """The smallest poll rate of any target of an active channel, at most `LONGEST_INTERVAL`; None if none is watched.

    The limit is why this reads only a few rows, however many targets there are.
    """
    rates = [rate for query in (_fastest_target(), _fastest_channel()) if (rate := await session.scalar(query))]
    if rates:
        return timedelta(minutes=min(rates))
    watching = select(MonitoringTargetRow.id).join(ChannelConfigRow, _CHANNEL_OF_TARGET).where(_IS_ACTIVE).limit(1)
    return None if await session.scalar(watching) is None else LONGEST_INTERVAL


_CHANNEL_OF_TARGET = ChannelConfigRow.channel_id == MonitoringTargetRow.channel_id
_IS_ACTIVE = ChannelConfigRow.is_active.is_not(False)
_LONGEST_MINUTES = int(LONGEST_INTERVAL.total_seconds() // 60)


def _fastest_target() -> Select[int | None]:
    rate = MonitoringTargetRow.poll_rate_minutes
    return (
        select(rate)
        .join(ChannelConfigRow, _CHANNEL_OF_TARGET)
        .where(rate.between(MIN_POLL_RATE_MINUTES, _LONGEST_MINUTES), _IS_ACTIVE)
        .order_by(rate)
        .limit(1)
    )


def _fastest_channel() -> Select[int | None]:
    """The smallest rate of the channels whose rate a target follows, because its own is missing or invalid."""
    rate, own = ChannelConfigRow.poll_rate_minutes, MonitoringTargetRow.poll_rate_minutes
    follows = or_(own.is_(None), ~own.between(MIN_POLL_RATE_MINUTES, MAX_POLL_RATE_MINUTES))
    return (
        select(rate)
        .where(
            rate.between(MIN_POLL_RATE_MINUTES, _LONGEST_MINUTES),
            _IS_ACTIVE,
            exists().where(_CHANNEL_OF_TARGET, follows),
        )
        .order_by(rate)
        .limit(1)
    )
