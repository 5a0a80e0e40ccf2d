"""Settings of targets become NULL, the channel's: the original filled the columns in and never read them."""

from alembic import op

revision = "79fe16949fc9"
down_revision = "07247ecaf3dd"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE monitoring_targets SET poll_rate_minutes = NULL, notification_types = NULL")


def downgrade() -> None:
    """The original's own fillers, where a target has nothing of its own."""
    op.execute(
        "UPDATE monitoring_targets SET poll_rate_minutes = COALESCE(poll_rate_minutes, 60),"
        " notification_types = COALESCE(notification_types, 'machines')"
    )
