"""Rows that somebody wrote by hand, where foreign keys are off: the `sqlite3` shell does not enforce them."""

import structlog
from sqlalchemy import column, insert, select, table

from dispinmap.database.engine import sync_engine

# Not the models, because this runs before the revisions that lead to them.
_channels = table("channel_configs", column("channel_id"), column("guild_id"))
_targets = table("monitoring_targets", column("channel_id"))

UNKNOWN_GUILD = 0
"""No server's id. Commands in the channel fill in the real one."""


def give_channels(url: str) -> list[int]:
    """Give targets whose channel has no row an active one with the default settings; the ids of those channels.

    For databases past the legacy revision, where every channel of the original bot has its row already.
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
