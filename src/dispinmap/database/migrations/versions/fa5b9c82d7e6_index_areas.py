"""Finds the targets that watch a circle without reading the others."""

import sqlalchemy as sa
from alembic import op

revision = "fa5b9c82d7e6"
down_revision = "e94a8b71c6d5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    area = sa.text("target_type <> 'location'")
    op.create_index(
        "ix_monitoring_targets_area",
        "monitoring_targets",
        ["target_name"],
        sqlite_where=area,
        postgresql_where=area,
    )


def downgrade() -> None:
    op.drop_index("ix_monitoring_targets_area", "monitoring_targets")
