"""Changes to a channel's targets, within the caller's transaction."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries import channels, outbox, targets
from dispinmap.outbox.models import MessageState
from dispinmap.outbox.waiting import reconsider
from dispinmap.targets.kinds import Kinds
from dispinmap.targets.models import NewTarget, Target
from dispinmap.targets.selection import listed, repeated, resized, select
from dispinmap.targets.transfer import AddTarget, ImportPlan, SetKinds, SetPollRate


class AddOutcome(StrEnum):
    ADDED = "added"
    RADIUS_CHANGED = "radius_changed"
    ALREADY_THERE = "already_there"


async def put(session: AsyncSession, channel_id: int, new: NewTarget, now: datetime) -> tuple[int, AddOutcome]:
    """Add the target, or change the radius of the one that is there. Returns its id. Needs the channel's row locked."""
    existing = [watched.target for watched in await targets.of_channel(session, channel_id)]
    there = repeated(existing, new)
    if there is None:
        return (await targets.add(session, channel_id, new.stored, now)).id, AddOutcome.ADDED
    if resized(there, new):
        await targets.rename(session, there.id, new.target_name)
        return there.id, AddOutcome.RADIUS_CHANGED
    return there.id, AddOutcome.ALREADY_THERE


async def remove(session: AsyncSession, channel_id: int, selector: str) -> Target:
    """Raises UserError unless the selector matches exactly one target."""
    target = select(listed(await targets.of_channel(session, channel_id)), selector).target
    await targets.remove(session, target.id)
    return target


async def forget_channel(session: AsyncSession, channel_id: int, now: datetime, window: timedelta) -> int:
    """Remove all targets of a deleted channel, and give up what waits for it. Returns the number of targets."""
    target_ids = [watched.target.id for watched in await targets.of_channel(session, channel_id)]
    for target_id in target_ids:
        await targets.remove(session, target_id)
    await reconsider(session, channel_id, now, window)
    # There is usually one. If Discord rejected a message, its two halves wait side by side.
    while (message := await outbox.pending_message(session, channel_id)) is not None:
        reason = "The channel was deleted."
        await outbox.finish(session, message, MessageState.REJECTED, now, posted_id=None, error=reason)
    await outbox.unpark(session, channel_id)
    return len(target_ids)


async def chosen(session: AsyncSession, channel_id: int, selector: str | None) -> int | None:
    """The id of the target that the selector means; None (the channel) without a selector. Raises UserError."""
    if selector is None:
        return None
    return select(listed(await targets.of_channel(session, channel_id)), selector).target.id


async def set_poll_rate(
    session: AsyncSession, channel_id: int, target_id: int | None, minutes: int | None, now: datetime
) -> None:
    """Set the poll rate of the target, or of the channel if `target_id` is None."""
    if target_id is None:
        await channels.set_poll_rate(session, channel_id, minutes, now)
    else:
        await targets.set_poll_rate(session, target_id, minutes)


async def set_kinds(
    session: AsyncSession, channel_id: int, target_id: int | None, kinds: Kinds | None, now: datetime
) -> None:
    """Set the kinds of the target, or of the channel if `target_id` is None."""
    if target_id is None:
        await channels.set_kinds(session, channel_id, kinds, now)
    else:
        await targets.set_kinds(session, target_id, kinds)


async def carry_out(session: AsyncSession, channel_id: int, plan: ImportPlan, now: datetime) -> None:
    """Apply the plan's actions: additions first, because settings refer to targets by their position among them."""
    ids = {
        action.position: (await put(session, channel_id, action.new, now))[0]
        for action in plan.actions
        if isinstance(action, AddTarget)
    }
    for action in plan.actions:
        match action:
            case SetPollRate(minutes, position):
                await set_poll_rate(session, channel_id, ids[position] if position else None, minutes, now)
            case SetKinds(kinds, position):
                await set_kinds(session, channel_id, ids[position] if position else None, kinds, now)
            case AddTarget():
                pass
