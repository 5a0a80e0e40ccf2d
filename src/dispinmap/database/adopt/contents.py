"""Reading one database at head and writing into another, within the caller's sessions."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import QueryableAttribute

from dispinmap.database.adopt.plan import Known, Step
from dispinmap.database.adopt.staging import key_of
from dispinmap.database.handmade import UNKNOWN_GUILD
from dispinmap.database.queries.batching import CHUNK, chunks, insert_new
from dispinmap.database.queries.channels import to_channel
from dispinmap.database.tables import Base, ChannelConfigRow, MonitoringTargetRow, SeenSubmissionRow
from dispinmap.targets.kinds import kinds_or_none, stored_kinds
from dispinmap.targets.models import Channel, poll_rate_or_none

Values = dict[str, Any]
Pairs = list[tuple[int, int]]
"""Of channel id and submission id."""


async def channels(session: AsyncSession) -> dict[int, Channel]:
    return {row.channel_id: to_channel(row) for row in await session.scalars(select(ChannelConfigRow))}


async def targets(session: AsyncSession) -> dict[int, MonitoringTargetRow]:
    """By id, oldest first."""
    rows = await session.scalars(select(MonitoringTargetRow).order_by(MonitoringTargetRow.id))
    return {row.id: row for row in rows}


def known(row: MonitoringTargetRow) -> Known:
    return Known(
        id=row.id,
        key=key_of(row.channel_id, row.target_type, row.target_name, row.location_id),
        poll_rate_minutes=poll_rate_or_none(row.poll_rate_minutes),
        kinds=kinds_or_none(row.notification_types),
    )


async def add_channels(theirs: AsyncSession, ours: AsyncSession) -> None:
    """Add new channels. Existing ones stay as they are, unless their server was unknown."""
    rows = list(await theirs.scalars(select(ChannelConfigRow)))
    for chunk in chunks(rows):
        await insert_new(ours, ChannelConfigRow, [values(row) for row in chunk])
    for row in rows:
        if row.guild_id != UNKNOWN_GUILD:
            await ours.execute(
                update(ChannelConfigRow)
                .where(ChannelConfigRow.channel_id == row.channel_id, ChannelConfigRow.guild_id == UNKNOWN_GUILD)
                .values(guild_id=row.guild_id, is_active=row.is_active)
            )


async def carry_out(
    session: AsyncSession, steps: Sequence[Step], rows: Mapping[int, MonitoringTargetRow]
) -> dict[int, int]:
    """Add and merge the adopted targets as planned. Returns their new ids by their old ids."""
    new_ids: dict[int, int] = {}
    for chunk in chunks([step for step in steps if step.into is None]):
        added = [
            without_id(values(rows[step.source_id]))
            | {"poll_rate_minutes": step.poll_rate_minutes, "notification_types": stored_kinds(step.kinds)}
            # Its map cells are not copied: the poller computes them again.
            | {"mapped_name": None}
            for step in chunk
        ]
        # The table, not the class: a bulk insert of the class drops NULLs, and the columns' defaults apply instead.
        returning = insert(table(MonitoringTargetRow)).returning(MonitoringTargetRow.id, sort_by_parameter_order=True)
        ids = await session.scalars(returning, added)
        new_ids.update(zip((step.source_id for step in chunk), ids, strict=True))
    for step in steps:
        if step.into is not None:
            await _widen(session, step.into, step)
            new_ids[step.source_id] = step.into
    return new_ids


async def _widen(session: AsyncSession, target_id: int, step: Step) -> None:
    await session.execute(
        update(MonitoringTargetRow)
        .where(MonitoringTargetRow.id == target_id)
        .values(poll_rate_minutes=step.poll_rate_minutes, notification_types=stored_kinds(step.kinds))
    )


async def add_seen(theirs: AsyncSession, ours: AsyncSession) -> None:
    """Copy the seen submissions, so that no channel is shown one of them again."""
    async for rows in _seen(theirs):
        await insert_new(ours, SeenSubmissionRow, [without_id(row) for row in rows])


async def seen_pairs(session: AsyncSession) -> AsyncIterator[Pairs]:
    async for rows in _seen(session):
        yield [(row["channel_id"], row["submission_id"]) for row in rows]


def _seen(session: AsyncSession) -> AsyncIterator[list[Values]]:
    # Ordered by channel, because looking up a page of pairs costs its channels times its submissions.
    return pages(session, SeenSubmissionRow, SeenSubmissionRow.channel_id, SeenSubmissionRow.submission_id)


async def pages(session: AsyncSession, of: type[Base], *order: QueryableAttribute[Any]) -> AsyncIterator[list[Values]]:
    """The rows of a table in pages, so that a big table needs little memory."""
    stream = await session.stream(select(table(of)).order_by(*order).execution_options(yield_per=CHUNK))
    async for rows in stream.mappings().partitions():
        yield [dict(row) for row in rows]


def table(of: type[Base]) -> Table:
    return cast("Table", of.__table__)


def values(row: Base) -> Values:
    """A row's values by column."""
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


def without_id(row: Values) -> Values:
    """For a table that numbers its rows by itself."""
    return {name: value for name, value in row.items() if name != "id"}


def keys(rows: Collection[MonitoringTargetRow]) -> dict[int, object]:
    return {row.id: known(row).key for row in rows}
