"""Asks again when what waits is due, after something changed that this depends on."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries import notifications, targets
from dispinmap.outbox.due import reconsidered
from dispinmap.outbox.notifications import Notification


async def reconsider(session: AsyncSession, channel_id: int, now: datetime, window: timedelta) -> None:
    """Everything that waits for the channel, after a change of its targets or settings. `window` is the settle window.

    What is no longer wanted is cancelled.
    """
    everyone = await targets.of_channel(session, channel_id)
    waiting = await notifications.unsent(session, channel_id)
    await notifications.update_waiting(session, _changed(waiting, reconsidered(waiting, everyone, now, window)))


async def reconsider_all(session: AsyncSession, now: datetime, window: timedelta) -> None:
    """The same for every channel, after the clock was set back."""
    for channel_id in await notifications.waiting_channels(session):
        await reconsider(session, channel_id, now, window)


async def serve(
    session: AsyncSession, channel_id: int, sent: Collection[Notification], now: datetime, window: timedelta
) -> None:
    """A message with these notifications leaves now: the next ones of their targets wait for the poll rate.

    That includes a removal which is due and not settled yet: otherwise it would leave as a second message too early.
    """
    served = {each.target_id for each in sent}
    those = [watched for watched in await targets.of_channel(session, channel_id) if watched.target.id in served]
    await targets.mark_served(session, channel_id, those, now)
    unsettled = await notifications.unsettled(session, channel_id, now)
    if unsettled:
        everyone = await targets.of_channel(session, channel_id)
        await notifications.update_waiting(session, _changed(unsettled, reconsidered(unsettled, everyone, now, window)))


def _changed(before: Collection[Notification], after: Collection[Notification]) -> list[Notification]:
    # Without a target it is to be cancelled, also if the database has cleared the target already.
    return [new for old, new in zip(before, after, strict=True) if new != old or new.target_id is None]
