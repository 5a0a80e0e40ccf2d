"""An index of the areas whose map cells are missing or out of date: usually empty."""

import sqlalchemy as sa
from alembic import op

revision = "3e9c04d7a1b5"
down_revision = "2d81b6c94fa0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    unmapped = sa.text("target_type <> 'location' AND (mapped_name IS NULL OR mapped_name <> target_name)")
    op.create_index(
        "ix_monitoring_targets_unmapped",
        "monitoring_targets",
        ["id"],
        sqlite_where=unmapped,
        postgresql_where=unmapped,
    )


def downgrade() -> None:
    op.drop_index("ix_monitoring_targets_unmapped", "monitoring_targets")
