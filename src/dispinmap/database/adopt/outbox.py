"""Copying the outbox of another one of our databases: what it promised is still delivered, and only once."""

from collections.abc import Mapping

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.adopt.contents import Values, pages, table, without_id
from dispinmap.database.queries.batching import insert_new
from dispinmap.database.tables import (
    ChannelParkingRow,
    FeedStateRow,
    MessageRow,
    NotificationRow,
    SubmissionRow,
)


async def carry_over(theirs: AsyncSession, ours: AsyncSession, target_ids: Mapping[int, int]) -> None:
    """`target_ids` maps their targets to ours. Rows that exist already stay as they are."""
    feeds_itself = await ours.scalar(select(FeedStateRow.id)) is not None
    async for rows in pages(theirs, SubmissionRow):
        await insert_new(ours, SubmissionRow, [_submission(row, feeds_itself=feeds_itself) for row in rows])
    message_ids = await _messages(theirs, ours)
    async for rows in pages(theirs, NotificationRow):
        await insert_new(ours, NotificationRow, [_notification(row, target_ids, message_ids) for row in rows])
    tables = (ChannelParkingRow,) if feeds_itself else (ChannelParkingRow, FeedStateRow)
    for each in tables:
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
