"""Settings of targets become NULL, which means the channel's: the original bot filled them in but never read them."""

from alembic import op

revision = "79fe16949fc9"
down_revision = "07247ecaf3dd"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE monitoring_targets SET poll_rate_minutes = NULL, notification_types = NULL")


def downgrade() -> None:
    """Fill in the original bot's values for targets without settings of their own."""
    op.execute(
        "UPDATE monitoring_targets SET poll_rate_minutes = COALESCE(poll_rate_minutes, 60),"
        " notification_types = COALESCE(notification_types, 'machines')"
    )
