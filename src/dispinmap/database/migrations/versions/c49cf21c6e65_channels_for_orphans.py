"""Every target and seen submission gets a channel: the original bot did not enforce its foreign keys.

Such a channel received nothing, so it is inactive. Its server is unknown: no server has the id 0.
"""

import sqlalchemy as sa
from alembic import op

revision = "c49cf21c6e65"
down_revision = "6f6f6afb1af3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    channels = sa.table(
        "channel_configs", sa.column("channel_id"), sa.column("guild_id"), sa.column("is_active", sa.Boolean)
    )
    known = sa.select(channels.c.channel_id)
    mentioned = sa.union(
        *(
            sa.select(table.c.channel_id).where(table.c.channel_id.not_in(known))
            for table in (
                sa.table("monitoring_targets", sa.column("channel_id")),
                sa.table("seen_submissions", sa.column("channel_id")),
            )
        )
    ).subquery()
    orphans = sa.select(mentioned.c.channel_id, sa.literal(0), sa.false())
    op.execute(channels.insert().from_select(["channel_id", "guild_id", "is_active"], orphans))


def downgrade() -> None:
    """The channels stay: without them, their rows would point to no channel again."""
