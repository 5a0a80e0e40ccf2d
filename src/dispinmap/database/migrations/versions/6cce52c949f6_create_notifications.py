"""The outbox: submissions due to channels."""

import sqlalchemy as sa
from alembic import op

revision = "6cce52c949f6"
down_revision = "d7af5fb74b56"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("submission_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.Integer()),
        sa.Column("message_id", sa.Integer()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel_id", "submission_id", name="unique_notification"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel_configs.channel_id"]),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"]),
        sa.ForeignKeyConstraint(["target_id"], ["monitoring_targets.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"]),
    )
    op.create_index("ix_notifications_state_channel_due", "notifications", ["state", "channel_id", "due_at"])
    op.create_index("ix_notifications_submission_id", "notifications", ["submission_id"])
    op.create_index("ix_notifications_target_id", "notifications", ["target_id"])
    op.create_index("ix_notifications_message_id", "notifications", ["message_id"])


def downgrade() -> None:
    op.drop_table("notifications")
