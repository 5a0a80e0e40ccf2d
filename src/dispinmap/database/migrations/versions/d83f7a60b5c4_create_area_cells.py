"""Map cells are kept for each circle, not for each target: many targets share a circle."""

import sqlalchemy as sa
from alembic import op

revision = "d83f7a60b5c4"
down_revision = "c72e5a609b84"
branch_labels = None
depends_on = None

AREA = sa.text("target_type <> 'location'")


def upgrade() -> None:
    op.create_table(
        "area_cells",
        sa.Column("cell", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("cell", "area"),
    )
    op.execute(
        "INSERT INTO area_cells (cell, area) SELECT DISTINCT c.cell, t.mapped_name FROM target_cells AS c"
        " JOIN monitoring_targets AS t ON t.id = c.target_id WHERE t.mapped_name IS NOT NULL"
    )
    op.drop_table("target_cells")
    op.create_index(
        "ix_monitoring_targets_area", "monitoring_targets", ["target_name"], sqlite_where=AREA, postgresql_where=AREA
    )


def downgrade() -> None:
    op.drop_index("ix_monitoring_targets_area", "monitoring_targets")
    op.create_table(
        "target_cells",
        sa.Column("cell", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("cell", "target_id"),
        sa.ForeignKeyConstraint(["target_id"], ["monitoring_targets.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_target_cells_target_id", "target_cells", ["target_id"])
    op.execute(
        "INSERT INTO target_cells (cell, target_id) SELECT a.cell, t.id FROM area_cells AS a"
        " JOIN monitoring_targets AS t ON t.mapped_name = a.area WHERE t.target_type <> 'location'"
    )
    op.drop_table("area_cells")
