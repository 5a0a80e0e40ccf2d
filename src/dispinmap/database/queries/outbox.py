"""The outbox: what is due, what is being sent, and which channels refuse the bot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.notifications import UNSENT, fetch, is_settled, select_notifications
from dispinmap.database.tables import ChannelConfigRow, ChannelParkingRow, MessageRow, NotificationRow
from dispinmap.health import QueueState
from dispinmap.outbox.models import MessageState, Notification, NotificationState

BATCH = 200
"""How many due notifications are read for one message, which holds far fewer."""


@dataclass(frozen=True, slots=True)
class SavedMessage:
    """A message as stored. `attempted_at` is set while the outcome of an attempt is unknown."""

    id: int
    channel_id: int
    nonce: str
    attempts: int
    attempted_at: datetime | None
    created_at: datetime
    notifications: tuple[Notification, ...]


async def ready_channels(session: AsyncSession, now: datetime, channel_id: int | None = None) -> list[int]:
    """Active channels that something can be sent to now, the longest waiting first. Only `channel_id`, if given."""
    repeats = select(MessageRow.channel_id, MessageRow.next_attempt_at.label("due_at")).where(
        MessageRow.state == MessageState.PENDING
    )
    unacknowledged = select(MessageRow.channel_id).where(MessageRow.state == MessageState.PENDING)
    fresh = select(NotificationRow.channel_id, NotificationRow.due_at).where(
        UNSENT, NotificationRow.due_at <= now, is_settled(now), NotificationRow.channel_id.not_in(unacknowledged)
    )
    work = repeats.union_all(fresh).subquery()
    return list(
        await session.scalars(
            select(work.c.channel_id)
            .join(ChannelConfigRow, ChannelConfigRow.channel_id == work.c.channel_id)
            .outerjoin(ChannelParkingRow, ChannelParkingRow.channel_id == work.c.channel_id)
            .where(
                work.c.due_at <= now,
                ChannelConfigRow.is_active.is_not(False),
                or_(ChannelParkingRow.retry_at.is_(None), ChannelParkingRow.retry_at <= now),
                true() if channel_id is None else work.c.channel_id == channel_id,
            )
            .group_by(work.c.channel_id)
            .order_by(func.min(work.c.due_at))
        )
    )


async def next_work_at(session: AsyncSession, now: datetime) -> datetime | None:
    """When something can be sent next, after `now`; None if nothing waits."""
    moments = [
        await session.scalar(select(func.min(NotificationRow.due_at)).where(UNSENT, NotificationRow.due_at > now)),
        await session.scalar(
            select(func.min(MessageRow.next_attempt_at)).where(
                MessageRow.state == MessageState.PENDING, MessageRow.next_attempt_at > now
            )
        ),
        await session.scalar(select(func.min(ChannelParkingRow.retry_at)).where(ChannelParkingRow.retry_at > now)),
    ]
    return min((moment for moment in moments if moment is not None), default=None)


async def pending_message(session: AsyncSession, channel_id: int) -> SavedMessage | None:
    """The channel's message that Discord has not acknowledged yet, or None.

    A rejected message is split into several: of those, the one with the oldest submission.
    """
    oldest = select(func.min(NotificationRow.submission_id)).where(NotificationRow.message_id == MessageRow.id)
    row = await session.scalar(
        select(MessageRow)
        .where(MessageRow.channel_id == channel_id, MessageRow.state == MessageState.PENDING)
        .order_by(oldest.scalar_subquery(), MessageRow.id)
        .limit(1)
    )
    if row is None:
        return None
    carried = await fetch(session, select_notifications().where(NotificationRow.message_id == row.id))
    return SavedMessage(
        row.id, row.channel_id, row.nonce, row.attempts, row.attempted_at, row.created_at, tuple(carried)
    )


async def leaving(session: AsyncSession, channel_id: int, now: datetime) -> list[Notification]:
    """The channel's notifications that are due, settled and in no message yet, oldest first, at most `BATCH`."""
    due = (UNSENT, NotificationRow.channel_id == channel_id, NotificationRow.due_at <= now, is_settled(now))
    return await fetch(session, select_notifications().where(*due).limit(BATCH))


async def save_message(
    session: AsyncSession, channel_id: int, nonce: str, notifications: Sequence[Notification], now: datetime
) -> SavedMessage:
    """Save a message with these notifications."""
    row = MessageRow(
        channel_id=channel_id, nonce=nonce, state=MessageState.PENDING, attempts=0, next_attempt_at=now, created_at=now
    )
    session.add(row)
    await session.flush()
    ids = [each.id for each in notifications]
    await session.execute(update(NotificationRow).where(NotificationRow.id.in_(ids)).values(message_id=row.id))
    return SavedMessage(row.id, channel_id, nonce, 0, None, now, tuple(notifications))


async def save_part(
    session: AsyncSession, whole: SavedMessage, nonce: str, notifications: Sequence[Notification], now: datetime
) -> SavedMessage:
    """Save a new message with some of the notifications of `whole`. If `whole` is in doubt, the new one is too."""
    row = MessageRow(
        channel_id=whole.channel_id,
        nonce=nonce,
        state=MessageState.PENDING,
        attempts=0,
        attempted_at=whole.attempted_at,
        next_attempt_at=now,
        created_at=whole.created_at,
    )
    session.add(row)
    await session.flush()
    await session.execute(
        update(NotificationRow)
        .where(NotificationRow.id.in_([each.id for each in notifications]))
        .values(message_id=row.id, state=NotificationState.PENDING)
    )
    return SavedMessage(row.id, whole.channel_id, nonce, 0, whole.attempted_at, whole.created_at, tuple(notifications))


async def begin_attempt(session: AsyncSession, message: SavedMessage, now: datetime) -> None:
    """Record that an attempt is under way, before anything is sent."""
    await session.execute(
        update(MessageRow)
        .where(MessageRow.id == message.id)
        .values(attempts=MessageRow.attempts + 1, attempted_at=func.coalesce(MessageRow.attempted_at, now))
    )


async def postpone(
    session: AsyncSession, message: SavedMessage, until: datetime, error: str, *, certainly_not_posted: bool
) -> None:
    """Try again at `until`. The message stays in doubt unless it was certainly not posted."""
    values: dict[str, object] = {"next_attempt_at": until, "error": error}
    if certainly_not_posted:
        values["attempted_at"] = None
    await session.execute(update(MessageRow).where(MessageRow.id == message.id).values(values))


async def finish(
    session: AsyncSession,
    message: SavedMessage,
    state: MessageState,
    now: datetime,
    *,
    posted_id: int | None,
    error: str | None,
) -> None:
    """Store the final state of the message and of its notifications."""
    await session.execute(
        update(MessageRow)
        .where(MessageRow.id == message.id)
        .values(
            state=state,
            posted_id=posted_id,
            error=error,
            attempted_at=None,
            sent_at=now if state is MessageState.SENT else None,
        )
    )
    await session.execute(
        update(NotificationRow)
        .where(NotificationRow.message_id == message.id)
        .values(state=NotificationState(state.value))
    )


async def parking_attempts(session: AsyncSession, channel_id: int) -> int:
    """How often in a row the channel has refused us."""
    return (
        await session.scalar(select(ChannelParkingRow.attempts).where(ChannelParkingRow.channel_id == channel_id)) or 0
    )


async def park(
    session: AsyncSession, channel_id: int, reason: str, attempts: int, now: datetime, retry_at: datetime
) -> None:
    """Send nothing to the channel before `retry_at`."""
    row = await session.get(ChannelParkingRow, channel_id)
    if row is None:
        row = ChannelParkingRow(channel_id=channel_id, parked_at=now)
        session.add(row)
    row.reason, row.attempts, row.retry_at = reason, attempts, retry_at


async def retry_parked(session: AsyncSession, channel_id: int, now: datetime) -> str | None:
    """Let the sender try a parked channel again at `now`. Returns why it was parked, or None if it was not."""
    return await session.scalar(
        update(ChannelParkingRow)
        .where(ChannelParkingRow.channel_id == channel_id)
        .values(retry_at=now)
        .returning(ChannelParkingRow.reason)
    )


async def unpark(session: AsyncSession, channel_id: int) -> None:
    """Record that the channel takes messages again."""
    await session.execute(delete(ChannelParkingRow).where(ChannelParkingRow.channel_id == channel_id))


async def queue_state(session: AsyncSession, now: datetime) -> QueueState:
    """The outbox in numbers. Notifications of parked and inactive channels count as waiting, not as due."""
    pending = NotificationRow.state == NotificationState.PENDING
    parked = select(ChannelParkingRow.channel_id).where(ChannelParkingRow.retry_at > now)
    inactive = select(ChannelConfigRow.channel_id).where(ChannelConfigRow.is_active.is_(False))
    closed = NotificationRow.channel_id.in_(parked.union(inactive))
    total = await session.scalar(select(func.count()).where(pending)) or 0
    due, oldest = (
        await session.execute(
            select(func.count(), func.min(NotificationRow.due_at)).where(
                pending, NotificationRow.due_at <= now, is_settled(now), ~closed
            )
        )
    ).one()
    parkings = await session.scalar(select(func.count()).select_from(ChannelParkingRow))
    in_doubt = await session.scalar(
        select(func.count()).where(MessageRow.state == MessageState.PENDING, MessageRow.attempted_at.is_not(None))
    )
    return QueueState(total - due, due, oldest, parkings or 0, in_doubt or 0)


async def counts(session: AsyncSession) -> dict[str, int]:
    """How many notifications there are in each state; a state without any is 0."""
    rows = await session.execute(select(NotificationRow.state, func.count()).group_by(NotificationRow.state))
    return dict.fromkeys(NotificationState, 0) | dict(rows.all())
