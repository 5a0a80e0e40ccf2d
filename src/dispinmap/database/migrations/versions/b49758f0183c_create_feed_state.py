"""How far the feed has been read."""

import sqlalchemy as sa
from alembic import op

revision = "b49758f0183c"
down_revision = "ce07162782cf"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("history_until", sa.DateTime(), nullable=False),
        sa.Column("cursor_created_at", sa.DateTime(), nullable=False),
        sa.Column("last_polled_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("feed_state")
