"""Rows that people write with the `sqlite3` shell, which does not enforce foreign keys."""

import structlog
from sqlalchemy import column, insert, select, table

from dispinmap.database.engine import sync_engine

# Not the models, because this runs before the revisions that create their columns.
_channels = table("channel_configs", column("channel_id"), column("guild_id"))
_targets = table("monitoring_targets", column("channel_id"))

UNKNOWN_GUILD = 0
"""No server has this id. A command in the channel fills in the real one."""


def give_channels(url: str) -> list[int]:
    """Create an active channel with default settings for targets whose channel has no row. Returns the channels' ids.

    Only for databases past the legacy revision: the revision after it gives every channel of the original bot a row.
    """
    engine = sync_engine(url, migrating=True)
    try:
        with engine.begin() as connection:
            missing = select(_targets.c.channel_id).where(_targets.c.channel_id.not_in(select(_channels.c.channel_id)))
            given = list(connection.scalars(missing.distinct()))
            if given:
                rows = [{"channel_id": channel_id, "guild_id": UNKNOWN_GUILD} for channel_id in given]
                connection.execute(insert(_channels), rows)
    finally:
        engine.dispose()
    if given:
        structlog.get_logger(__name__).warning("channels_of_handmade_targets_created", channel_ids=given)
    return given
