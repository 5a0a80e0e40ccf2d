"""Rows written by hand without settings get the documented defaults."""

import sqlalchemy as sa
from alembic import op

revision = "ec0274001f34"
down_revision = "fe8faf6b8395"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("monitoring_targets") as batch:
        batch.alter_column("poll_rate_minutes", server_default=sa.text("60"))
        batch.alter_column("notification_types", server_default=sa.text("'machines'"))


def downgrade() -> None:
    with op.batch_alter_table("monitoring_targets") as batch:
        batch.alter_column("poll_rate_minutes", server_default=None)
        batch.alter_column("notification_types", server_default=None)
