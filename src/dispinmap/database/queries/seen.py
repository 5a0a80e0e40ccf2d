"""Which submissions a channel was shown or promised. A pair is (channel id, submission id)."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import chunks, insert_new, insert_new_from
from dispinmap.database.queries.submissions import to_submission
from dispinmap.database.tables import NotificationRow, SeenSubmissionRow, SubmissionRow
from dispinmap.database.types import UtcDateTime
from dispinmap.outbox.models import NotificationState
from dispinmap.pinballmap.models import Submission


async def seen(session: AsyncSession, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """The pairs that are marked as seen."""
    if not pairs:
        return set()
    submission_ids = [submission_id for _, submission_id in pairs]
    # Submissions that are matched together have ids close to each other: a range is one look-up for each channel.
    near = SeenSubmissionRow.submission_id.between(min(submission_ids), max(submission_ids))
    found: set[tuple[int, int]] = set()
    for channel_ids in chunks({channel_id for channel_id, _ in pairs}):
        rows = await session.execute(
            select(SeenSubmissionRow.channel_id, SeenSubmissionRow.submission_id).where(
                SeenSubmissionRow.channel_id.in_(channel_ids), near
            )
        )
        found.update((channel_id, submission_id) for channel_id, submission_id in rows)
    return found.intersection(pairs)


async def mark_seen(session: AsyncSession, pairs: Collection[tuple[int, int]], at: datetime) -> None:
    """Mark the pairs as seen. Those marked already keep their time. The channels must have a row."""
    for chunk in chunks(sorted(set(pairs))):
        rows = [{"channel_id": channel_id, "submission_id": id_, "seen_at": at} for channel_id, id_ in chunk]
        await insert_new(session, SeenSubmissionRow, rows)


async def mark_notified(session: AsyncSession, submission_ids: Collection[int], at: datetime) -> None:
    """Mark these submissions in every channel that has a notification of them."""
    for chunk in chunks(submission_ids):
        notified = select(NotificationRow.channel_id, NotificationRow.submission_id, literal(at, UtcDateTime)).where(
            NotificationRow.submission_id.in_(chunk)
        )
        await insert_new_from(session, SeenSubmissionRow, ("channel_id", "submission_id", "seen_at"), notified)


async def shown(session: AsyncSession, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """The pairs whose submission was posted to the channel: marked, and neither waiting nor cancelled."""
    found = await seen(session, pairs)
    for chunk in chunks({submission_id for _, submission_id in found}):
        rows = await session.execute(
            select(NotificationRow.channel_id, NotificationRow.submission_id).where(
                NotificationRow.submission_id.in_(chunk), _is_unshown()
            )
        )
        found -= {(channel_id, submission_id) for channel_id, submission_id in rows}
    return found


def _is_unshown() -> ColumnElement[bool]:
    waits = and_(NotificationRow.state == NotificationState.PENDING, NotificationRow.message_id.is_(None))
    return or_(waits, NotificationRow.state == NotificationState.CANCELLED)


async def latest_shown(
    session: AsyncSession, channel_id: int, types: Collection[str] | None, limit: int
) -> list[Submission]:
    """The newest submissions of these types (None for all) that the channel was shown, newest first.

    Submissions whose notification still waits were not shown yet, and those that were cancelled never will be.
    """
    unshown = exists().where(
        NotificationRow.channel_id == channel_id,
        NotificationRow.submission_id == SubmissionRow.id,
        NotificationRow.state.in_((NotificationState.PENDING, NotificationState.CANCELLED)),
    )
    wanted = true() if types is None else SubmissionRow.submission_type.in_(types)
    rows = await session.scalars(
        select(SubmissionRow)
        .join(SeenSubmissionRow, SeenSubmissionRow.submission_id == SubmissionRow.id)
        .where(SeenSubmissionRow.channel_id == channel_id, wanted, ~unshown)
        .order_by(SubmissionRow.created_at.desc(), SubmissionRow.id.desc())
        .limit(limit)
    )
    return [to_submission(row) for row in rows]
