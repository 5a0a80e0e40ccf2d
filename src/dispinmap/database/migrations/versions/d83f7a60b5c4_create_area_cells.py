"""The map cells that a circle touches, once for all targets that watch this circle."""

import sqlalchemy as sa
from alembic import op

revision = "d83f7a60b5c4"
down_revision = "c72e5a609b84"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "area_cells",
        sa.Column("cell", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("cell", "area"),
    )


def downgrade() -> None:
    op.drop_table("area_cells")
