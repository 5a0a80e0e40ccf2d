"""The heartbeat, which shows how old a restored copy is, and which posts are in doubt after a restore."""

import sqlalchemy as sa
from alembic import op

revision = "9d2c71e05ab4"
down_revision = "43d138bd38f5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("beat_at", sa.DateTime(), nullable=True),
        sa.Column("holder", sa.String(), nullable=True),
        sa.Column("previous_holder", sa.String(), nullable=True),
        sa.Column("restored_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("heartbeat")
