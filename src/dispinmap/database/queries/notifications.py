"""Notifications that are in no message yet."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, delete, false, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import chunks, insert_new
from dispinmap.database.queries.submissions import to_submission
from dispinmap.database.tables import UNSENT_SQL, FeedStateRow, MonitoringTargetRow, NotificationRow, SubmissionRow
from dispinmap.outbox.models import Notification, NotificationState
from dispinmap.targets.models import TargetType, area_or_none

UNSENT: ColumnElement[bool] = text(UNSENT_SQL)  # type: ignore[assignment]
"""Pending, and in no message yet."""


def is_settled(now: datetime) -> ColumnElement[bool]:
    """Whether the feed was read without a gap at or after the notification's `settles_at`."""
    # A poll in the future was before the clock was set back: it does not show what happened since.
    last_polled_at = select(FeedStateRow.last_polled_at).where(FeedStateRow.last_polled_at <= now).scalar_subquery()
    # Without such a poll the comparison is NULL, which is neither true nor false.
    return or_(
        NotificationRow.settles_at.is_(None), func.coalesce(NotificationRow.settles_at <= last_polled_at, false())
    )


async def save(
    session: AsyncSession,
    notifications: Collection[Notification],
    now: datetime,
    state: NotificationState = NotificationState.PENDING,
) -> None:
    """Save new notifications. Those that the channel has already stay as they are."""
    for chunk in chunks(notifications):
        await insert_new(
            session,
            NotificationRow,
            [
                {
                    "channel_id": each.channel_id,
                    "submission_id": each.submission.id,
                    "target_id": each.target_id,
                    "state": state,
                    "due_at": each.due_at,
                    "settles_at": each.settles_at,
                    "created_at": now,
                }
                for each in chunk
            ],
        )


async def unsent(session: AsyncSession, channel_id: int) -> list[Notification]:
    """The channel's notifications that are in no message yet, oldest first."""
    return await fetch(session, select_notifications().where(UNSENT, NotificationRow.channel_id == channel_id))


async def staying(session: AsyncSession, channel_id: int, now: datetime) -> list[Notification]:
    """The channel's notifications that cannot leave now, oldest first: those that are not due or not settled."""
    leaving = and_(NotificationRow.due_at <= now, is_settled(now))
    return await fetch(
        session, select_notifications().where(UNSENT, NotificationRow.channel_id == channel_id, ~leaving)
    )


async def waiting_channels(session: AsyncSession) -> list[int]:
    """The channels with notifications that are in no message yet."""
    return list(await session.scalars(select(NotificationRow.channel_id).where(UNSENT).distinct()))


async def update_waiting(session: AsyncSession, notifications: Collection[Notification]) -> None:
    """Store new due times, settle times and targets. Notifications without a target are cancelled.

    Notifications that are in a message by now stay as they are.
    """
    for each in notifications:
        state = NotificationState.CANCELLED if each.target_id is None else NotificationState.PENDING
        await session.execute(
            update(NotificationRow)
            .where(UNSENT, NotificationRow.id == each.id)
            .values(target_id=each.target_id, due_at=each.due_at, settles_at=each.settles_at, state=state)
        )


async def cancel_unsent(session: AsyncSession, submission_ids: Collection[int]) -> None:
    """Cancel the waiting notifications of these submissions in every channel."""
    for chunk in chunks(submission_ids):
        await session.execute(
            update(NotificationRow)
            .where(UNSENT, NotificationRow.submission_id.in_(chunk))
            .values(state=NotificationState.CANCELLED)
        )


async def withdraw(session: AsyncSession, channel_id: int, submission_ids: Collection[int]) -> None:
    """Delete the channel's notifications of these submissions that are in no message yet."""
    for chunk in chunks(submission_ids):
        await session.execute(
            delete(NotificationRow).where(
                UNSENT, NotificationRow.channel_id == channel_id, NotificationRow.submission_id.in_(chunk)
            )
        )


async def make_due(session: AsyncSession, channel_id: int, now: datetime) -> None:
    """Make everything that waits for the channel due now. It still leaves only when it is settled."""
    await session.execute(
        update(NotificationRow)
        .where(UNSENT, NotificationRow.channel_id == channel_id, NotificationRow.due_at > now)
        .values(due_at=now)
    )


async def count_leaving(session: AsyncSession, channel_id: int, since: datetime, now: datetime) -> int:
    """How many of the channel's notifications leave now, or were created from `since` on and have left."""
    here = select(func.count()).where(NotificationRow.channel_id == channel_id)
    leaving = await session.scalar(here.where(UNSENT, NotificationRow.due_at <= now, is_settled(now))) or 0
    left = await session.scalar(
        here.where(NotificationRow.created_at >= since, NotificationRow.message_id.is_not(None))
    )
    return leaving + (left or 0)


def select_notifications() -> Select[NotificationRow, SubmissionRow, str | None, str | None]:
    """Notifications with their submission and their target's place, oldest submission first."""
    return (
        select(NotificationRow, SubmissionRow, MonitoringTargetRow.target_type, MonitoringTargetRow.target_name)
        .join(SubmissionRow, SubmissionRow.id == NotificationRow.submission_id)
        .outerjoin(MonitoringTargetRow, MonitoringTargetRow.id == NotificationRow.target_id)
        .order_by(SubmissionRow.created_at, SubmissionRow.id)
    )


async def fetch(
    session: AsyncSession, query: Select[NotificationRow, SubmissionRow, str | None, str | None]
) -> list[Notification]:
    """Run a query of `select_notifications`. Returns values."""
    rows = await session.execute(query.execution_options(populate_existing=True))
    return [
        Notification(
            channel_id=row.channel_id,
            target_id=row.target_id,
            submission=to_submission(submission),
            due_at=row.due_at,
            settles_at=row.settles_at,
            # Without an area there is no distance to show, but the notification is sent all the same.
            area=None if target_name is None or target_type == TargetType.LOCATION else area_or_none(target_name),
            id=row.id,
        )
        for row, submission, target_type, target_name in rows
    ]
