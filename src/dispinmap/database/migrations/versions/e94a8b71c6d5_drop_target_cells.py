"""The map cells of each target go: at its next start the bot works out those of its circle."""

import sqlalchemy as sa
from alembic import op

revision = "e94a8b71c6d5"
down_revision = "d83f7a60b5c4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("target_cells")


def downgrade() -> None:
    op.create_table(
        "target_cells",
        sa.Column("cell", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("cell", "target_id"),
        sa.ForeignKeyConstraint(["target_id"], ["monitoring_targets.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_target_cells_target_id", "target_cells", ["target_id"])
