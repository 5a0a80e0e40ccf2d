"""Channels and their settings."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import CHUNK, chunks, insert_new
from dispinmap.database.tables import ChannelConfigRow, ChannelParkingRow
from dispinmap.targets.kinds import DEFAULT_KINDS, Kinds, kinds_or_none, stored_kinds
from dispinmap.targets.models import (
    DEFAULT_POLL_RATE_MINUTES,
    Channel,
    ChannelRef,
    poll_rate_or_none,
)


def to_channel(row: ChannelConfigRow | Row[*tuple[Any, ...]]) -> Channel:
    """The row as a value, with the defaults in place of missing and invalid settings."""
    return Channel(
        channel_id=row.channel_id,
        guild_id=row.guild_id,
        poll_rate_minutes=poll_rate_or_none(row.poll_rate_minutes) or DEFAULT_POLL_RATE_MINUTES,
        kinds=kinds_or_none(row.notification_types) or DEFAULT_KINDS,
        is_active=row.is_active is not False,
        served_at=row.served_at,
    )


async def get(session: AsyncSession, channel_id: int) -> Channel | None:
    """None if the channel never used the bot."""
    row = await session.scalar(select(ChannelConfigRow).where(ChannelConfigRow.channel_id == channel_id))
    return None if row is None else to_channel(row)


async def ensure(session: AsyncSession, ref: ChannelRef, now: datetime) -> None:
    """Create or update the channel's row, and activate it: a command from a channel shows that the bot is there.

    The update locks the row until the transaction ends, so that changes of one channel come one after the other on
    PostgreSQL too.
    """
    await insert_new(
        session, ChannelConfigRow, [{"channel_id": ref.channel_id, "guild_id": ref.guild_id, "created_at": now}]
    )
    await session.execute(
        update(ChannelConfigRow)
        .where(ChannelConfigRow.channel_id == ref.channel_id)
        .values(guild_id=ref.guild_id, is_active=True, updated_at=now)
    )


async def set_poll_rate(session: AsyncSession, channel_id: int, minutes: int | None, now: datetime) -> None:
    """None means the default."""
    await session.execute(
        update(ChannelConfigRow)
        .where(ChannelConfigRow.channel_id == channel_id)
        .values(poll_rate_minutes=minutes, updated_at=now)
    )


async def set_kinds(session: AsyncSession, channel_id: int, kinds: Kinds | None, now: datetime) -> None:
    """None means the default."""
    await session.execute(
        update(ChannelConfigRow)
        .where(ChannelConfigRow.channel_id == channel_id)
        .values(notification_types=stored_kinds(kinds), updated_at=now)
    )


async def note_polls(session: AsyncSession, after: int, at: datetime) -> int | None:
    """Set `last_poll_at` of the next active channels, with ids above `after`. Returns the last id, or None."""
    ids = list(
        await session.scalars(
            select(ChannelConfigRow.channel_id)
            .where(ChannelConfigRow.channel_id > after, ChannelConfigRow.is_active.is_not(False))
            .order_by(ChannelConfigRow.channel_id)
            .limit(CHUNK)
        )
    )
    await session.execute(update(ChannelConfigRow).where(ChannelConfigRow.channel_id.in_(ids)).values(last_poll_at=at))
    return ids[-1] if ids else None


async def guilds(session: AsyncSession) -> tuple[set[int], set[int]]:
    """The servers with active channels, and those with deactivated ones."""
    rows = await session.execute(select(ChannelConfigRow.guild_id, ChannelConfigRow.is_active).distinct())
    states = rows.all()
    return (
        {guild_id for guild_id, is_active in states if is_active is not False},
        {guild_id for guild_id, is_active in states if is_active is False},
    )


async def deactivate(session: AsyncSession, guild_ids: Collection[int], now: datetime) -> int:
    """Returns how many channels were active until now."""
    changed = 0
    for chunk in chunks(guild_ids):
        ids = await session.scalars(
            update(ChannelConfigRow)
            .where(ChannelConfigRow.guild_id.in_(chunk), ChannelConfigRow.is_active.is_not(False))
            .values(is_active=False, updated_at=now)
            .returning(ChannelConfigRow.channel_id)
        )
        changed += len(ids.all())
    return changed


async def revive(session: AsyncSession, guild_ids: Collection[int], now: datetime) -> int:
    """Activate the channels and forget that they refused us. Returns how many were deactivated until now."""
    changed = 0
    for chunk in chunks(guild_ids):
        there = select(ChannelConfigRow.channel_id).where(ChannelConfigRow.guild_id.in_(chunk))
        await session.execute(delete(ChannelParkingRow).where(ChannelParkingRow.channel_id.in_(there)))
        ids = await session.scalars(
            update(ChannelConfigRow)
            .where(ChannelConfigRow.guild_id.in_(chunk), ChannelConfigRow.is_active.is_(False))
            .values(is_active=True, updated_at=now)
            .returning(ChannelConfigRow.channel_id)
        )
        changed += len(ids.all())
    return changed
