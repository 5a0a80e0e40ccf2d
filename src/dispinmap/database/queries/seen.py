"""Which submissions a channel was shown or promised. A pair is (channel id, submission id)."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import chunks, insert_new
from dispinmap.database.tables import SeenSubmissionRow


async def seen(session: AsyncSession, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the pairs that are marked."""
    wanted = set(pairs)
    found: set[tuple[int, int]] = set()
    for channel_ids in chunks(sorted({channel_id for channel_id, _ in wanted})):
        for submission_ids in chunks(sorted({submission_id for _, submission_id in wanted})):
            rows = await session.execute(
                select(SeenSubmissionRow.channel_id, SeenSubmissionRow.submission_id).where(
                    SeenSubmissionRow.channel_id.in_(channel_ids), SeenSubmissionRow.submission_id.in_(submission_ids)
                )
            )
            found.update((channel_id, submission_id) for channel_id, submission_id in rows)
    return found & wanted


async def mark_seen(session: AsyncSession, pairs: Collection[tuple[int, int]], at: datetime) -> None:
    """Mark the pairs; one that is marked already keeps its time. The channels must have a row."""
    await insert_new(
        session,
        SeenSubmissionRow,
        [{"channel_id": channel_id, "submission_id": id_, "seen_at": at} for channel_id, id_ in set(pairs)],
    )
