"""Targets, with the channel settings they inherit from."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import chunks
from dispinmap.database.queries.channels import to_channel
from dispinmap.database.tables import ChannelConfigRow, MonitoringTargetRow
from dispinmap.targets.kinds import Kinds, kinds_or_none, stored_kinds
from dispinmap.targets.models import (
    NewTarget,
    Target,
    TargetType,
    WatchedTarget,
    poll_rate_or_none,
)

# For a row that somebody wrote by hand without a time: it counts as always there.
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def to_target(row: MonitoringTargetRow) -> Target:
    """The row as a value. A type we do not know becomes a location without id, which says so as its problem."""
    known = row.target_type in set(TargetType)
    return Target(
        id=row.id,
        channel_id=row.channel_id,
        type=TargetType(row.target_type) if known else TargetType.LOCATION,
        target_name=row.target_name,
        created_at=row.created_at or row.last_checked_at or _ALWAYS,
        display_name=row.display_name,
        location_id=row.location_id if known else None,
        poll_rate_minutes=poll_rate_or_none(row.poll_rate_minutes),
        kinds=kinds_or_none(row.notification_types),
        last_checked_at=row.last_checked_at,
    )


def _select() -> Select[MonitoringTargetRow, ChannelConfigRow]:
    return (
        select(MonitoringTargetRow, ChannelConfigRow)
        .join(ChannelConfigRow, ChannelConfigRow.channel_id == MonitoringTargetRow.channel_id)
        .order_by(MonitoringTargetRow.id)
    )


async def _fetch(session: AsyncSession, query: Select[MonitoringTargetRow, ChannelConfigRow]) -> list[WatchedTarget]:
    rows = await session.execute(query.execution_options(populate_existing=True))
    return [WatchedTarget(to_target(target), to_channel(channel)) for target, channel in rows]


async def watched(session: AsyncSession) -> list[WatchedTarget]:
    """Every target of an active channel that can be watched, by id."""
    found = await _fetch(session, _select().where(ChannelConfigRow.is_active.is_not(False)))
    return [each for each in found if each.target.problem is None]


async def of_channel(session: AsyncSession, channel_id: int) -> list[WatchedTarget]:
    """All targets of a channel, in the order of `/list`, also those with a problem."""
    return await _fetch(session, _select().where(ChannelConfigRow.channel_id == channel_id))


async def get(session: AsyncSession, target_id: int) -> WatchedTarget:
    """One that is known to be there."""
    return (await _fetch(session, _select().where(MonitoringTargetRow.id == target_id)))[0]


async def add(session: AsyncSession, channel_id: int, new: NewTarget, now: datetime) -> Target:
    """Insert it with the channel's settings inherited. Raises IntegrityError where it is there already."""
    # Spelled-out NULLs, because the columns' own defaults are the original's and would hide the channel's settings.
    statement = (
        insert(MonitoringTargetRow)
        .values(
            channel_id=channel_id,
            target_type=new.type,
            target_name=new.target_name,
            display_name=new.display_name,
            location_id=new.location_id,
            poll_rate_minutes=None,
            notification_types=None,
            last_checked_at=now,
            created_at=now,
        )
        .returning(MonitoringTargetRow)
    )
    return to_target((await session.scalars(statement)).one())


async def rename(session: AsyncSession, target_id: int, target_name: str) -> None:
    """Give a city or point another circle."""
    await session.execute(
        update(MonitoringTargetRow).where(MonitoringTargetRow.id == target_id).values(target_name=target_name)
    )


async def set_poll_rate(session: AsyncSession, target_id: int, minutes: int | None) -> None:
    """None means the channel's."""
    await session.execute(
        update(MonitoringTargetRow).where(MonitoringTargetRow.id == target_id).values(poll_rate_minutes=minutes)
    )


async def set_kinds(session: AsyncSession, target_id: int, kinds: Kinds | None) -> None:
    """None means the channel's."""
    await session.execute(
        update(MonitoringTargetRow)
        .where(MonitoringTargetRow.id == target_id)
        .values(notification_types=stored_kinds(kinds))
    )


async def remove(session: AsyncSession, target_id: int) -> None:
    await session.execute(delete(MonitoringTargetRow).where(MonitoringTargetRow.id == target_id))


async def touch(session: AsyncSession, target_ids: Collection[int], at: datetime) -> None:
    """The targets were served at `at`."""
    for chunk in chunks(target_ids):
        await session.execute(
            update(MonitoringTargetRow).where(MonitoringTargetRow.id.in_(chunk)).values(last_checked_at=at)
        )
