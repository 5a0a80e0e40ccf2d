"""Reading one database at head and writing into another, within the caller's sessions."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import QueryableAttribute

from dispinmap.database.adopt.plan import Known, Step
from dispinmap.database.adopt.staging import key_of
from dispinmap.database.queries.batching import CHUNK, chunks, insert_new
from dispinmap.database.queries.channels import to_channel
from dispinmap.database.tables import (
    UNKNOWN_GUILD,
    Base,
    ChannelConfigRow,
    ChannelParkingRow,
    FeedStateRow,
    MessageRow,
    MonitoringTargetRow,
    NotificationRow,
    SeenSubmissionRow,
    SubmissionRow,
)
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


async def add_outbox(theirs: AsyncSession, ours: AsyncSession, target_ids: Mapping[int, int]) -> None:
    """Copy the outbox of one of our own databases, so that what it promised is still delivered, and only once.

    `target_ids` maps their targets to ours. Rows that exist already stay as they are.
    """
    feeds_itself = await ours.scalar(select(FeedStateRow.id)) is not None
    async for rows in pages(theirs, SubmissionRow):
        await insert_new(ours, SubmissionRow, [_submission(row, feeds_itself=feeds_itself) for row in rows])
    message_ids = await _messages(theirs, ours)
    async for rows in pages(theirs, NotificationRow):
        await insert_new(ours, NotificationRow, [_notification(row, target_ids, message_ids) for row in rows])
    for each in (ChannelParkingRow,) if feeds_itself else (ChannelParkingRow, FeedStateRow):
        async for rows in pages(theirs, each):
            await insert_new(ours, each, rows)


def _submission(row: Values, *, feeds_itself: bool) -> Values:
    """If our database reads the feed already, the submission is not matched yet: our channels must hear of it too."""
    return row | ({"fed_at": None} if feeds_itself else {})


async def _messages(theirs: AsyncSession, ours: AsyncSession) -> dict[int, int]:
    """Copy messages. Returns our ids by theirs. The nonce identifies a message in both databases."""
    new_ids = {}
    async for rows in pages(theirs, MessageRow):
        nonces = {row["nonce"]: row["id"] for row in rows}
        there = select(MessageRow.nonce, MessageRow.id).where(MessageRow.nonce.in_(nonces))
        known = {row.nonce: row.id for row in await ours.execute(there)}
        added = [without_id(row) for row in rows if row["nonce"] not in known]
        if added:
            returning = insert(table(MessageRow)).returning(MessageRow.nonce, MessageRow.id)
            known |= {row.nonce: row.id for row in await ours.execute(returning, added)}
        new_ids.update({id_: known[nonce] for nonce, id_ in nonces.items()})
    return new_ids


def _notification(row: Values, target_ids: Mapping[int, int], message_ids: Mapping[int, int]) -> Values:
    target_id = None if row["target_id"] is None else target_ids[row["target_id"]]
    message_id = None if row["message_id"] is None else message_ids[row["message_id"]]
    return without_id(row) | {"target_id": target_id, "message_id": message_id}


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
