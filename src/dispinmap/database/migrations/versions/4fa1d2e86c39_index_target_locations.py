"""An index to find the targets of a location without reading the others."""

from alembic import op

revision = "4fa1d2e86c39"
down_revision = "3e9c04d7a1b5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_monitoring_targets_location_id", "monitoring_targets", ["location_id"])


def downgrade() -> None:
    op.drop_index("ix_monitoring_targets_location_id", "monitoring_targets")
