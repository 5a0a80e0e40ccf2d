"""An index to find the fastest target without reading the others."""

from alembic import op

revision = "50b7e3f9241d"
down_revision = "4fa1d2e86c39"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_monitoring_targets_poll_rate_minutes", "monitoring_targets", ["poll_rate_minutes"])


def downgrade() -> None:
    op.drop_index("ix_monitoring_targets_poll_rate_minutes", "monitoring_targets")
