"""Channels that refuse the bot, and when it tries them again."""

import sqlalchemy as sa
from alembic import op

revision = "43d138bd38f5"
down_revision = "6cce52c949f6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel_parkings",
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("parked_at", sa.DateTime(), nullable=False),
        sa.Column("retry_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("channel_id"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel_configs.channel_id"]),
    )


def downgrade() -> None:
    op.drop_table("channel_parkings")
