"""Recalculates when waiting notifications leave, after a change to targets, settings, the clock or the last message."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries import notifications, targets
from dispinmap.outbox.due import reconsidered
from dispinmap.outbox.models import Notification


async def reconsider(session: AsyncSession, channel_id: int, now: datetime, window: timedelta) -> None:
    """Recalculate everything that waits for the channel, after its targets or settings changed.

    `window` is the settle window. Notifications that are no longer wanted are cancelled.
    """
    all_targets = await targets.of_channel(session, channel_id)
    waiting = await notifications.unsent(session, channel_id)
    await notifications.update_waiting(session, _changed(waiting, reconsidered(waiting, all_targets, now, window)))


async def reconsider_all(session: AsyncSession, now: datetime, window: timedelta) -> None:
    """Recalculate everything for all channels, after the clock was set back."""
    for channel_id in await notifications.waiting_channels(session):
        await reconsider(session, channel_id, now, window)


async def note_served(
    session: AsyncSession, channel_id: int, sent: Collection[Notification], now: datetime, window: timedelta
) -> None:
    """A message with these notifications leaves now: the next ones for their targets wait for the poll rate.

    This includes removals that are due but not settled yet, and what got its due time from a clock that was set back
    since. Otherwise they would leave in a second message too early.
    """
    served = {each.target_id for each in sent}
    all_targets = await targets.of_channel(session, channel_id)
    await targets.mark_served(session, channel_id, [each for each in all_targets if each.target.id in served], now)
    staying = await notifications.staying(session, channel_id, now)
    if staying:
        all_targets = await targets.of_channel(session, channel_id)
        after = reconsidered(staying, all_targets, now, window)
        await notifications.update_waiting(session, _changed(staying, after))


def _changed(before: Collection[Notification], after: Collection[Notification]) -> list[Notification]:
    # A notification without a target must be cancelled, even if the database has already cleared its target.
    return [new for old, new in zip(before, after, strict=True) if new != old or new.target_id is None]
