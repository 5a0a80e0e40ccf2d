"""Targets, with the channel settings they inherit from."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Select, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from dispinmap.database.queries.batching import CHUNK, UNSYNCHRONIZED, chunks
from dispinmap.database.queries.channels import to_channel
from dispinmap.database.tables import AREA_SQL, AreaCellRow, ChannelConfigRow, MonitoringTargetRow
from dispinmap.database.types import UtcDateTime
from dispinmap.matching.geography import cell_of
from dispinmap.matching.rules import is_within
from dispinmap.pinballmap.models import Submission
from dispinmap.targets.kinds import Kinds, kinds_or_none, stored_kinds
from dispinmap.targets.models import (
    Area,
    Channel,
    NewTarget,
    Target,
    TargetType,
    WatchedTarget,
    area_or_none,
    poll_rate_or_none,
)

# A row written by hand without a time counts as having always been there.
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES: Final = {each.value: each for each in TargetType}
PAGE: Final = 500
"""Rows that are converted to values at a time, which takes a few milliseconds."""


_TARGET: Final = (
    MonitoringTargetRow.id,
    MonitoringTargetRow.channel_id,
    MonitoringTargetRow.target_type,
    MonitoringTargetRow.target_name,
    MonitoringTargetRow.display_name,
    MonitoringTargetRow.location_id,
    MonitoringTargetRow.poll_rate_minutes,
    MonitoringTargetRow.notification_types,
    MonitoringTargetRow.created_at,
    MonitoringTargetRow.last_checked_at,
    MonitoringTargetRow.served_at,
)
"""What `_target` reads, in its order."""


def to_target(row: MonitoringTargetRow) -> Target:
    """The row as a value. A row of unknown type becomes a location without an id, whose `problem` says what to do."""
    return _target(*(getattr(row, column.key) for column in _TARGET))


def _target(
    id_: int,
    channel_id: int,
    target_type: str,
    target_name: str,
    display_name: str | None,
    location_id: int | None,
    poll_rate_minutes: int | None,
    notification_types: str | None,
    created_at: datetime | None,
    last_checked_at: datetime | None,
    served_at: datetime | None,
) -> Target:
    known = _TYPES.get(target_type)
    return Target(
        id=id_,
        channel_id=channel_id,
        type=known or TargetType.LOCATION,
        target_name=target_name,
        created_at=created_at or last_checked_at or _ALWAYS,
        display_name=display_name,
        location_id=location_id if known else None,
        poll_rate_minutes=poll_rate_or_none(poll_rate_minutes),
        kinds=kinds_or_none(notification_types),
        last_checked_at=last_checked_at,
        served_at=served_at,
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


async def around(
    session: AsyncSession, rows: Collection[Submission], known: dict[int, Channel]
) -> AsyncIterator[list[tuple[WatchedTarget, list[Submission]]]]:
    """Targets of active channels that may want some of these submissions, with those submissions, in pages.

    A target comes once. Targets elsewhere are not read at all. `known` holds the channels that this transaction has
    read, by id. This function adds to it.
    """
    by_location: defaultdict[int, list[Submission]] = defaultdict(list)
    for row in rows:
        if row.location_id is not None:
            by_location[row.location_id].append(row)
    on_location = _columns(MonitoringTargetRow.location_id).where(
        MonitoringTargetRow.target_type == TargetType.LOCATION, MonitoringTargetRow.location_id.in_(by_location)
    )
    async for page in _stream(session, on_location, known):
        yield [(watched, by_location[location_id]) for watched, location_id in page]
    by_area = await _by_area(session, rows)
    for areas in chunks(by_area):
        in_area = _columns(MonitoringTargetRow.target_name).where(
            text(AREA_SQL), MonitoringTargetRow.target_name.in_(areas)
        )
        async for page in _stream(session, in_area, known):
            yield [(watched, by_area[area]) for watched, area in page]


async def _by_area(session: AsyncSession, rows: Collection[Submission]) -> dict[str, list[Submission]]:
    """The circles that contain any of these submissions, as targets spell them, each with its submissions."""
    by_cell: defaultdict[int, list[Submission]] = defaultdict(list)
    for row in rows:
        if row.latitude is not None and row.longitude is not None:
            by_cell[cell_of(row.latitude, row.longitude)].append(row)
    found: defaultdict[str, list[Submission]] = defaultdict(list)
    for cells in chunks(by_cell):
        touched = await session.execute(select(AreaCellRow.cell, AreaCellRow.area).where(AreaCellRow.cell.in_(cells)))
        for cell, area in touched:
            if inside := [row for row in by_cell[cell] if is_within(area_or_none(area), row)]:
                found[area] += inside
    return found


_CHANNEL: Final = (
    ChannelConfigRow.channel_id,
    ChannelConfigRow.guild_id,
    ChannelConfigRow.poll_rate_minutes,
    ChannelConfigRow.notification_types,
    ChannelConfigRow.is_active,
    ChannelConfigRow.served_at,
)
"""What `to_channel` reads."""


def _columns(key: InstrumentedAttribute[int | None] | InstrumentedAttribute[str]) -> Select[*tuple[Any, ...]]:
    """Targets of active channels without the cost of mapped objects, because there may be very many."""
    return (
        select(key.label("key"), *_TARGET)
        .join(ChannelConfigRow, ChannelConfigRow.channel_id == MonitoringTargetRow.channel_id)
        .where(ChannelConfigRow.is_active.is_not(False))
    )


async def _stream(
    session: AsyncSession, query: Select[*tuple[Any, ...]], known: dict[int, Channel]
) -> AsyncIterator[list[tuple[WatchedTarget, Any]]]:
    """The query's targets with its key, in pages, so that the event loop never waits for all of them."""
    result = await session.stream(query)
    async for page in result.partitions(PAGE):
        found = [(_target(*values), key) for key, *values in page]
        if new := {target.channel_id for target, _ in found} - known.keys():
            rows = await session.execute(select(*_CHANNEL).where(ChannelConfigRow.channel_id.in_(new)))
            known.update((row.channel_id, to_channel(row)) for row in rows)
        yield [(WatchedTarget(target, known[target.channel_id]), key) for target, key in found]


async def places(session: AsyncSession, limit: int) -> set[Area | int] | None:
    """The distinct locations (by id) and areas that active channels watch; None if they are more than `limit`."""
    watched = (
        select(MonitoringTargetRow.location_id, MonitoringTargetRow.target_name, MonitoringTargetRow.target_type)
        .join(ChannelConfigRow, ChannelConfigRow.channel_id == MonitoringTargetRow.channel_id)
        .where(ChannelConfigRow.is_active.is_not(False))
    )
    found: set[Area | int] = set()
    async for page in (await session.stream(watched)).partitions(PAGE):
        for location_id, target_name, target_type in page:
            place = location_id if target_type == TargetType.LOCATION else area_or_none(target_name)
            if place is not None:
                found.add(place)
        if len(found) > limit:
            return None
    return found


async def oldest_created_at(session: AsyncSession) -> datetime | None:
    """When the oldest target of an active channel was added; None if nothing is watched."""
    created_at = func.coalesce(MonitoringTargetRow.created_at, MonitoringTargetRow.last_checked_at, _ALWAYS)
    return await session.scalar(
        select(func.min(created_at, type_=UtcDateTime))
        .join(ChannelConfigRow, ChannelConfigRow.channel_id == MonitoringTargetRow.channel_id)
        .where(ChannelConfigRow.is_active.is_not(False))
    )


async def of_channel(session: AsyncSession, channel_id: int) -> list[WatchedTarget]:
    """All targets of a channel, in the order of `/list`, including those with a problem."""
    return await _fetch(session, _select().where(ChannelConfigRow.channel_id == channel_id))


async def get(session: AsyncSession, target_id: int) -> WatchedTarget:
    """A target that is known to exist."""
    return (await _fetch(session, _select().where(MonitoringTargetRow.id == target_id)))[0]


async def add(session: AsyncSession, channel_id: int, new: NewTarget, now: datetime) -> Target:
    """Insert a target that inherits the channel's settings. Raises IntegrityError if the channel has it already."""
    # Explicit NULLs, because the columns' defaults are the original bot's and would override the channel's settings.
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
    """Give a city or point a different circle."""
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


async def mark_served(session: AsyncSession, channel_id: int, served: Collection[WatchedTarget], now: datetime) -> None:
    """Record that a message for these targets of the channel leaves at `now`."""
    own = [watched.target.id for watched in served if watched.has_own_poll_rate]
    for chunk in chunks(own):
        await session.execute(
            update(MonitoringTargetRow).where(MonitoringTargetRow.id.in_(chunk)).values(served_at=now)
        )
    if len(own) < len(served):
        await session.execute(
            update(ChannelConfigRow).where(ChannelConfigRow.channel_id == channel_id).values(served_at=now)
        )


async def note_checks(session: AsyncSession, after: int, at: datetime) -> int | None:
    """Set `last_checked_at` of the next targets with ids above `after`, except those of inactive channels.

    Returns the last id, or None.
    """
    ids = list(
        await session.scalars(
            select(MonitoringTargetRow.id)
            .where(MonitoringTargetRow.id > after)
            .order_by(MonitoringTargetRow.id)
            .limit(CHUNK)
        )
    )
    active = select(ChannelConfigRow.channel_id).where(ChannelConfigRow.is_active.is_not(False))
    await session.execute(
        update(MonitoringTargetRow)
        .where(MonitoringTargetRow.id.in_(ids), MonitoringTargetRow.channel_id.in_(active))
        .values(last_checked_at=at)
        .execution_options(**UNSYNCHRONIZED)
    )
    return ids[-1] if ids else None
