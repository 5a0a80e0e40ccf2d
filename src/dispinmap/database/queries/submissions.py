"""Our copy of Pinball Map's submissions."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import chunks, insert_new
from dispinmap.database.tables import SubmissionRow
from dispinmap.pinballmap.models import Submission


async def fed_ids(session: AsyncSession, ids: Collection[int]) -> set[int]:
    """Which of these submissions the feed has brought before."""
    found: set[int] = set()
    for chunk in chunks(ids):
        rows = await session.scalars(
            select(SubmissionRow.id).where(SubmissionRow.id.in_(chunk), SubmissionRow.fed_at.is_not(None))
        )
        found.update(rows)
    return found


async def remember(session: AsyncSession, submissions: Sequence[Submission], fed_at: datetime | None) -> None:
    """Store submissions; `fed_at` is None for those a look-up brought, which the feed must still announce elsewhere."""
    await insert_new(session, SubmissionRow, [_values(row, fed_at) for row in submissions])
    if fed_at is not None:
        for chunk in chunks([row.id for row in submissions]):
            await session.execute(
                update(SubmissionRow)
                .where(SubmissionRow.id.in_(chunk), SubmissionRow.fed_at.is_(None))
                .values(fed_at=fed_at)
            )


async def newest_created_at(session: AsyncSession) -> datetime | None:
    """When the newest submission we know was made."""
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


def _values(row: Submission, fed_at: datetime | None) -> dict[str, object]:
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
        "fed_at": fed_at,
    }
