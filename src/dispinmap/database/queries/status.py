"""Numbers for `/monitor_health` and the web pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries import feed, outbox, submissions
from dispinmap.database.tables import ChannelConfigRow, MonitoringTargetRow
from dispinmap.feed.cursor import Cursor
from dispinmap.health import QueueState


@dataclass(frozen=True, slots=True)
class Status:
    """What the database says of the bot's state."""

    revision: str | None
    channels: int
    targets: int
    watched_since: datetime | None
    queue: QueueState
    cursor: Cursor | None
    """None before the bot's first start."""
    newest_submission_at: datetime | None
    submissions: int
    notifications: Mapping[str, int]
    """By state."""


async def status(session: AsyncSession, now: datetime) -> Status:
    """Read everything. Only active channels and their targets are counted, because the bot polls only for those."""
    cursor = await feed.cursor(session)
    targets, watched_since = (
        await session.execute(
            select(func.count(), func.min(MonitoringTargetRow.created_at))
            .select_from(MonitoringTargetRow)
            .join(ChannelConfigRow, ChannelConfigRow.channel_id == MonitoringTargetRow.channel_id)
            .where(ChannelConfigRow.is_active.is_not(False))
        )
    ).one()
    return Status(
        revision=await session.scalar(text("SELECT version_num FROM alembic_version")),
        channels=await session.scalar(
            select(func.count()).select_from(ChannelConfigRow).where(ChannelConfigRow.is_active.is_not(False))
        )
        or 0,
        targets=targets,
        watched_since=watched_since,
        queue=await outbox.queue_state(session, now),
        cursor=cursor,
        newest_submission_at=await submissions.newest_created_at(session),
        submissions=await submissions.count(session),
        notifications=await outbox.counts(session),
    )
