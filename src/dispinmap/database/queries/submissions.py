"""Our copy of Pinball Map's submissions."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import chunks, insert_new
from dispinmap.database.tables import SubmissionRow
from dispinmap.pinballmap.models import Submission, SubmissionType


async def known_ids(session: AsyncSession, ids: Collection[int], *, matched: bool = False) -> set[int]:
    """Which of these submissions our copy holds, or with `matched`, which of them were matched."""
    found: set[int] = set()
    for chunk in chunks(ids):
        query = select(SubmissionRow.id).where(SubmissionRow.id.in_(chunk))
        found.update(await session.scalars(query.where(SubmissionRow.fed_at.is_not(None)) if matched else query))
    return found


async def remember(session: AsyncSession, submissions: Collection[Submission]) -> None:
    """Store submissions, to be matched later. Those stored already stay as they are."""
    for chunk in chunks(submissions):
        await insert_new(session, SubmissionRow, [_values(row) for row in chunk])


async def mark_fed(session: AsyncSession, ids: Collection[int], at: datetime) -> None:
    """The submissions were matched at `at`."""
    for chunk in chunks(ids):
        await session.execute(update(SubmissionRow).where(SubmissionRow.id.in_(chunk)).values(fed_at=at))


async def unmatched(session: AsyncSession, after: datetime, limit: int) -> list[Submission]:
    """The oldest submissions created after `after` that were not matched, oldest first."""
    rows = await session.scalars(
        select(SubmissionRow)
        .where(SubmissionRow.created_at > after, SubmissionRow.fed_at.is_(None))
        .order_by(SubmissionRow.created_at, SubmissionRow.id)
        .limit(limit)
    )
    return [to_submission(row) for row in rows]


async def machine_changes(session: AsyncSession, since: datetime, until: datetime) -> list[Submission]:
    """Machines added and removed, created from `since` to `until`."""
    rows = await session.scalars(
        select(SubmissionRow).where(
            SubmissionRow.created_at.between(since, until),
            SubmissionRow.submission_type.in_((SubmissionType.NEW_LMX, SubmissionType.REMOVE_MACHINE)),
        )
    )
    return [to_submission(row) for row in rows]


async def count_since(session: AsyncSession, created_at: datetime) -> int:
    """How many submissions of our copy were created at `created_at` or later."""
    query = select(func.count()).select_from(SubmissionRow).where(SubmissionRow.created_at >= created_at)
    return await session.scalar(query) or 0


async def newest_created_at(session: AsyncSession) -> datetime | None:
    """When the newest submission we know was created."""
    return await session.scalar(select(func.max(SubmissionRow.created_at)))


async def count(session: AsyncSession) -> int:
    """How many submissions we know."""
    return await session.scalar(select(func.count()).select_from(SubmissionRow)) or 0


def to_submission(row: SubmissionRow) -> Submission:
    return Submission(
        id=row.id,
        type=row.submission_type,
        created_at=row.created_at,
        location_id=row.location_id,
        location_name=row.location_name,
        city_name=row.city_name,
        latitude=row.latitude,
        longitude=row.longitude,
        machine_id=row.machine_id,
        machine_name=row.machine_name,
        user_name=row.user_name,
        comment=row.comment,
        sentence=row.sentence,
        high_score=row.high_score,
    )


def _values(row: Submission) -> dict[str, object]:
    return {
        "id": row.id,
        "submission_type": row.type,
        "created_at": row.created_at,
        "location_id": row.location_id,
        "location_name": row.location_name,
        "city_name": row.city_name,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "machine_id": row.machine_id,
        "machine_name": row.machine_name,
        "user_name": row.user_name,
        "comment": row.comment,
        "sentence": row.sentence,
        "high_score": row.high_score,
    }
