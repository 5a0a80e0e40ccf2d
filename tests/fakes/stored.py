"""What a database holds, as tests ask for it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries import targets
from dispinmap.database.tables import ChannelConfigRow
from dispinmap.targets.models import WatchedTarget


async def watched_targets(session: AsyncSession) -> list[WatchedTarget]:
    """Every target of an active channel that can be watched, by id."""
    channel_ids = await session.scalars(select(ChannelConfigRow.channel_id))
    found = [each for channel_id in channel_ids for each in await targets.of_channel(session, channel_id)]
    watchable = [each for each in found if each.channel.is_active and each.target.problem is None]
    return sorted(watchable, key=lambda each: each.target.id)
