"""Discord posts, saved before they are sent."""

import sqlalchemy as sa
from alembic import op

revision = "d7af5fb74b56"
down_revision = "b49758f0183c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.String(length=25), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempted_at", sa.DateTime()),
        sa.Column("next_attempt_at", sa.DateTime(), nullable=False),
        sa.Column("error", sa.String()),
        sa.Column("posted_id", sa.BigInteger()),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("nonce", name="unique_message_nonce"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel_configs.channel_id"]),
    )
    op.create_index("ix_messages_state_channel", "messages", ["state", "channel_id"])


def downgrade() -> None:
    op.drop_table("messages")
