"""Targets, with the channel settings they inherit from."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from dispinmap.database.queries.batching import CHUNK, chunks
from dispinmap.database.queries.channels import to_channel
from dispinmap.database.tables import ChannelConfigRow, MonitoringTargetRow, TargetCellRow
from dispinmap.database.types import UtcDateTime
from dispinmap.matching.cells import cell_of
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

_TYPES: Final = frozenset(TargetType)
# All that `to_target` and `to_channel` read: each further time would cost some microseconds a row.
_TARGET: Final = [each for each in MonitoringTargetRow.__table__.c if each.name != "mapped_name"]
_CHANNEL: Final = [
    each for each in ChannelConfigRow.__table__.c if each.name not in ("last_poll_at", "created_at", "updated_at")
]
# For a row that somebody wrote by hand without a time: it counts as always there.
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
PART: Final = 500
"""Rows that are turned into values in one go: some milliseconds."""


def to_target(row: MonitoringTargetRow) -> Target:
    """The row as a value. A type we do not know becomes a location without id, which says so as its problem."""
    known = row.target_type in _TYPES
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
        served_at=row.served_at,
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
    session: AsyncSession, rows: Collection[Submission]
) -> AsyncIterator[tuple[WatchedTarget, list[Submission]]]:
    """Targets of active channels that may want some of these submissions, with those submissions.

    A target comes once for its location, or once for each of its map cells that one of the submissions is in. The
    submissions may still be outside its circle. Targets elsewhere are not read at all.
    """
    by_location: defaultdict[int, list[Submission]] = defaultdict(list)
    by_cell: defaultdict[int, list[Submission]] = defaultdict(list)
    for row in rows:
        if row.location_id is not None:
            by_location[row.location_id].append(row)
        if row.latitude is not None and row.longitude is not None:
            by_cell[cell_of(row.latitude, row.longitude)].append(row)
    on_location = _columns(MonitoringTargetRow.location_id).where(
        MonitoringTargetRow.target_type == TargetType.LOCATION, MonitoringTargetRow.location_id.in_(by_location)
    )
    async for watched, location_id in _stream(session, on_location):
        yield watched, by_location[location_id]
    circles = await _circles(session, by_cell)
    in_circle = (
        _columns(TargetCellRow.cell)
        .join(TargetCellRow, TargetCellRow.target_id == MonitoringTargetRow.id)
        .where(TargetCellRow.cell.in_(by_cell), MonitoringTargetRow.target_name.in_(circles))
    )
    async for watched, cell in _stream(session, in_circle):
        yield watched, by_cell[cell]


async def _circles(session: AsyncSession, by_cell: Mapping[int, Collection[Submission]]) -> list[str]:
    """The names of areas around any of these submissions: many targets share a circle, and most circles are too far."""
    found = await session.execute(
        select(TargetCellRow.cell, MonitoringTargetRow.target_name)
        .join(MonitoringTargetRow, MonitoringTargetRow.id == TargetCellRow.target_id)
        .where(TargetCellRow.cell.in_(by_cell))
        .distinct()
    )
    return [name for cell, name in found if any(is_within(area_or_none(name), row) for row in by_cell[cell])]


def _columns(key: InstrumentedAttribute[int] | InstrumentedAttribute[int | None]) -> Select[*tuple[Any, ...]]:
    """Targets of active channels without the cost of mapped objects, because there may be very many."""
    return (
        select(key.label("key"), *_TARGET, *_CHANNEL)
        .select_from(MonitoringTargetRow)
        .join(ChannelConfigRow, ChannelConfigRow.channel_id == MonitoringTargetRow.channel_id)
        .where(ChannelConfigRow.is_active.is_not(False))
    )


async def _stream(session: AsyncSession, query: Select[*tuple[Any, ...]]) -> AsyncIterator[tuple[WatchedTarget, int]]:
    """The query's targets with its key, a part at a time, so that the event loop never waits for all of them."""
    known: dict[int, Channel] = {}
    target_names, channel_names = ([column.name for column in each] for each in (_TARGET, _CHANNEL))
    result = await session.stream(query)
    async for part in result.partitions(PART):
        for key, *values in part:
            target = to_target(_named(target_names, values))
            if target.channel_id not in known:
                known[target.channel_id] = to_channel(_named(channel_names, values[len(target_names) :]))
            yield WatchedTarget(target, known[target.channel_id]), key


def _named(names: Iterable[str], values: Iterable[object]) -> Any:  # noqa: ANN401 - a row of either table
    """The values under their names. SQLAlchemy's own rows take a microsecond for each value that is read by name."""
    return SimpleNamespace(**dict(zip(names, values, strict=False)))


async def places(session: AsyncSession, limit: int) -> set[Area | int] | None:
    """The distinct locations (by id) and areas that active channels watch; None if they are more than `limit`."""
    watched = (
        select(MonitoringTargetRow.location_id, MonitoringTargetRow.target_name, MonitoringTargetRow.target_type)
        .join(ChannelConfigRow, ChannelConfigRow.channel_id == MonitoringTargetRow.channel_id)
        .where(ChannelConfigRow.is_active.is_not(False))
    )
    found: set[Area | int] = set()
    async for part in (await session.stream(watched)).partitions(PART):
        for location_id, target_name, target_type in part:
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


async def mark_served(session: AsyncSession, channel_id: int, served: Collection[WatchedTarget], now: datetime) -> None:
    """A message for these targets of the channel leaves at `now`."""
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
    """Set `last_checked_at` of some targets of active channels, whose ids come after `after`; the last id, or None."""
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
        .execution_options(synchronize_session=False)
    )
    return ids[-1] if ids else None
