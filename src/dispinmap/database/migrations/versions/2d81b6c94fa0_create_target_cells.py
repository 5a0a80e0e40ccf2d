"""The map cells that a target's circle touches, so that a submission finds the circles around it."""

import sqlalchemy as sa
from alembic import op

revision = "2d81b6c94fa0"
down_revision = "1c5a7f30e8b2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "target_cells",
        sa.Column("cell", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("cell", "target_id"),
        sa.ForeignKeyConstraint(["target_id"], ["monitoring_targets.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_target_cells_target_id", "target_cells", ["target_id"])


def downgrade() -> None:
    op.drop_table("target_cells")
