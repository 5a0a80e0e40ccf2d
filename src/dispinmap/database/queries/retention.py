"""Deleting old rows. Each function deletes at most `BATCH` rows and returns how many it deleted."""

from datetime import datetime
from typing import Final

from sqlalchemy import delete, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import UNSYNCHRONIZED
from dispinmap.database.tables import MessageRow, NotificationRow, SeenSubmissionRow, SubmissionRow
from dispinmap.outbox.models import MessageState, NotificationState

BATCH: Final = 500
"""Rows deleted in one transaction: it takes a few milliseconds, and Litestream has only a short log to follow."""
PAGES: Final = 100
"""Pages given back in one transaction: 400 KB at SQLite's usual page size, in a few hundredths of a second."""
INCREMENTAL: Final = 2
"""`PRAGMA auto_vacuum` of a file that can give pages back piece by piece."""


async def delete_messages(session: AsyncSession, until: datetime) -> int:
    """Messages that were sent or rejected up to `until`, with their notifications. Returns how many messages."""
    rows = await session.scalars(
        select(MessageRow.id)
        .where(
            MessageRow.state.in_((MessageState.SENT, MessageState.REJECTED)),
            func.coalesce(MessageRow.sent_at, MessageRow.created_at) <= until,
        )
        .limit(BATCH)
    )
    ids = rows.all()
    await session.execute(delete(NotificationRow).where(NotificationRow.message_id.in_(ids)))
    await session.execute(delete(MessageRow).where(MessageRow.id.in_(ids)))
    return len(ids)


async def delete_cancelled(session: AsyncSession, until: datetime) -> int:
    """Cancelled notifications of submissions created up to `until`. Until then they prove that nothing was shown."""
    old = (
        select(NotificationRow.id)
        .join(SubmissionRow, SubmissionRow.id == NotificationRow.submission_id)
        .where(NotificationRow.state == NotificationState.CANCELLED, SubmissionRow.created_at <= until)
        .limit(BATCH)
    )
    gone = delete(NotificationRow).where(NotificationRow.id.in_(old)).returning(NotificationRow.id)
    return len((await session.scalars(gone, execution_options=UNSYNCHRONIZED)).all())


async def delete_submissions(session: AsyncSession, until: datetime) -> int:
    """Submissions created up to `until` that no notification refers to."""
    referred = exists().where(NotificationRow.submission_id == SubmissionRow.id)
    old = select(SubmissionRow.id).where(SubmissionRow.created_at <= until, ~referred).limit(BATCH)
    gone = delete(SubmissionRow).where(SubmissionRow.id.in_(old)).returning(SubmissionRow.id)
    return len((await session.scalars(gone, execution_options=UNSYNCHRONIZED)).all())


async def delete_seen(session: AsyncSession, until: datetime) -> int:
    """Marks made up to `until` for submissions we no longer have a copy of. Marks without a time stay."""
    copied = exists().where(SubmissionRow.id == SeenSubmissionRow.submission_id)
    old = select(SeenSubmissionRow.id).where(SeenSubmissionRow.seen_at <= until, ~copied).limit(BATCH)
    gone = delete(SeenSubmissionRow).where(SeenSubmissionRow.id.in_(old)).returning(SeenSubmissionRow.id)
    return len((await session.scalars(gone, execution_options=UNSYNCHRONIZED)).all())


async def give_back_pages(session: AsyncSession) -> int:
    """Shrink an SQLite file by at most `PAGES` free pages, if it was created with this ability. Returns how many."""
    if session.get_bind().dialect.name != "sqlite":
        return 0
    if await session.scalar(text("PRAGMA auto_vacuum")) != INCREMENTAL:
        return 0
    free = await session.scalar(text("PRAGMA freelist_count")) or 0
    pages = min(int(free), PAGES)
    for _ in range(pages):
        # The driver runs a pragma without columns for one step only, and each step gives one page back.
        await session.execute(text("PRAGMA incremental_vacuum(1)"))
    return pages


async def optimize(session: AsyncSession) -> None:
    """Let SQLite update the statistics by which it chooses indexes. PostgreSQL does that by itself."""
    if session.get_bind().dialect.name == "sqlite":
        await session.execute(text("PRAGMA analysis_limit = 400"))
        await session.execute(text("PRAGMA optimize"))
