"""What channels are promised, until a message carries it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import insert_new
from dispinmap.database.queries.submissions import to_submission
from dispinmap.database.tables import NotificationRow, SubmissionRow
from dispinmap.matching.promises import Held, Pair, Promise
from dispinmap.outbox.states import NotificationState
from dispinmap.pinballmap.models import SubmissionType

UNSENT = and_(NotificationRow.state == NotificationState.PENDING, NotificationRow.message_id.is_(None))
"""Promised, and in no message yet."""


async def save(session: AsyncSession, promises: Sequence[Promise], now: datetime) -> None:
    """Save notifications to be sent when they are due."""
    await insert_new(
        session,
        NotificationRow,
        [
            {
                "channel_id": promise.channel_id,
                "submission_id": promise.submission.id,
                "target_id": promise.target_id,
                "state": NotificationState.PENDING,
                "due_at": promise.due_at,
                "created_at": now,
            }
            for promise in promises
        ],
    )


async def held_removals(session: AsyncSession, since: datetime) -> list[Held]:
    """Removals created from `since` on that are promised and not yet in any message."""
    rows = await session.execute(
        select(NotificationRow.channel_id, SubmissionRow)
        .join(SubmissionRow, SubmissionRow.id == NotificationRow.submission_id)
        .where(
            UNSENT,
            SubmissionRow.submission_type == SubmissionType.REMOVE_MACHINE,
            SubmissionRow.created_at >= since,
        )
    )
    return [Held(channel_id, to_submission(row)) for channel_id, row in rows]


async def cancel(session: AsyncSession, pairs: Iterable[Pair]) -> None:
    """Withdraw notifications that are in no message yet."""
    for channel_id, submission_id in pairs:
        await session.execute(
            update(NotificationRow)
            .where(UNSENT, NotificationRow.channel_id == channel_id, NotificationRow.submission_id == submission_id)
            .values(state=NotificationState.CANCELLED)
        )


async def hold_removals(session: AsyncSession, since: datetime, until: datetime) -> None:
    """Let removals created after `since` that no message carries wait until `until` at least."""
    removals = select(SubmissionRow.id).where(
        SubmissionRow.submission_type == SubmissionType.REMOVE_MACHINE, SubmissionRow.created_at > since
    )
    await session.execute(
        update(NotificationRow)
        .where(UNSENT, NotificationRow.due_at < until, NotificationRow.submission_id.in_(removals))
        .values(due_at=until)
    )


async def hasten(session: AsyncSession, channel_id: int, settled_before: datetime, now: datetime) -> None:
    """Make everything that waits for this channel due at `now`; removals created after `settled_before` stay held."""
    young_removals = select(SubmissionRow.id).where(
        SubmissionRow.submission_type == SubmissionType.REMOVE_MACHINE, SubmissionRow.created_at > settled_before
    )
    await session.execute(
        update(NotificationRow)
        .where(
            UNSENT,
            NotificationRow.channel_id == channel_id,
            NotificationRow.due_at > now,
            NotificationRow.submission_id.not_in(young_removals),
        )
        .values(due_at=now)
    )


async def count_leaving(session: AsyncSession, channel_id: int, since: datetime, now: datetime) -> int:
    """How many notifications of the channel leave now, or were promised since `since` and have left already."""
    leaving = and_(UNSENT, NotificationRow.due_at <= now)
    left = and_(NotificationRow.created_at >= since, NotificationRow.message_id.is_not(None))
    query = select(func.count()).where(NotificationRow.channel_id == channel_id, or_(leaving, left))
    return await session.scalar(query) or 0
