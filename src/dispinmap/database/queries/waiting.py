"""Pending notifications that no message carries yet, as a change of targets finds them."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import chunks
from dispinmap.database.queries.promises import UNSENT
from dispinmap.database.queries.submissions import to_submission
from dispinmap.database.tables import NotificationRow, SubmissionRow
from dispinmap.outbox.states import NotificationState
from dispinmap.targets.waiting import HandOver, Waiting


async def for_targets(session: AsyncSession, target_ids: Collection[int]) -> list[Waiting]:
    """What waits for these targets, by id."""
    found: list[Waiting] = []
    for chunk in chunks(target_ids):
        rows = await session.execute(
            select(NotificationRow, SubmissionRow)
            .join(SubmissionRow, SubmissionRow.id == NotificationRow.submission_id)
            .where(NotificationRow.target_id.in_(chunk), UNSENT)
            .order_by(NotificationRow.id)
        )
        found += [_to_waiting(notification, submission) for notification, submission in rows]
    return found


def _to_waiting(notification: NotificationRow, submission: SubmissionRow) -> Waiting:
    return Waiting(
        notification_id=notification.id,
        target_id=notification.target_id or 0,
        submission=to_submission(submission),
        due_at=notification.due_at,
        created_at=notification.created_at,
    )


async def hand_over(session: AsyncSession, decisions: Collection[HandOver]) -> None:
    """Carry the decisions out, but for what a message has come to carry since."""
    heirs: defaultdict[int | None, list[int]] = defaultdict(list)
    for each in decisions:
        heirs[each.target_id].append(each.notification_id)
    for target_id, ids in heirs.items():
        state = NotificationState.CANCELLED if target_id is None else NotificationState.PENDING
        for chunk in chunks(ids):
            await session.execute(
                update(NotificationRow)
                .where(UNSENT, NotificationRow.id.in_(chunk))
                .values(target_id=target_id, state=state)
            )


async def reschedule(session: AsyncSession, due_times: Mapping[int, datetime]) -> None:
    """Give notifications, by id, another due time."""
    rows = [{"id": notification_id, "due_at": due_at} for notification_id, due_at in due_times.items()]
    if rows:
        await session.execute(update(NotificationRow), rows)
