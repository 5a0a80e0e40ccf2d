"""The three tables of the original bot. Its own databases have them already."""

import sqlalchemy as sa
from alembic import op

from dispinmap.database.errors import DatabaseError

revision = "6f6f6afb1af3"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("monitoring_targets"):
        return
    op.create_table(
        "channel_configs",
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("poll_rate_minutes", sa.Integer()),
        sa.Column("notification_types", sa.String()),
        sa.Column("is_active", sa.Boolean()),
        sa.Column("last_poll_at", sa.DateTime()),
        sa.Column("created_at", sa.DateTime(), server_default=sa.text("CURRENT_TIMESTAMP")),
        sa.Column("updated_at", sa.DateTime(), server_default=sa.text("CURRENT_TIMESTAMP")),
        sa.PrimaryKeyConstraint("channel_id"),
    )
    op.create_table(
        "monitoring_targets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("target_type", sa.String(), nullable=False),
        sa.Column("target_name", sa.String(), nullable=False),
        sa.Column("target_data", sa.String()),
        sa.Column("poll_rate_minutes", sa.Integer()),
        sa.Column("notification_types", sa.String()),
        sa.Column("last_checked_at", sa.DateTime()),
        sa.Column("created_at", sa.DateTime(), server_default=sa.text("CURRENT_TIMESTAMP")),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel_id", "target_type", "target_name", name="unique_channel_target"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel_configs.channel_id"]),
    )
    op.create_table(
        "seen_submissions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("submission_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), server_default=sa.text("CURRENT_TIMESTAMP")),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel_id", "submission_id", name="unique_channel_submission"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel_configs.channel_id"]),
    )


def downgrade() -> None:
    raise DatabaseError(
        "There is nothing before 6f6f6afb1af3: these tables may be the original bot's own and are not dropped. "
        "To start again, move the database file away."
    )
