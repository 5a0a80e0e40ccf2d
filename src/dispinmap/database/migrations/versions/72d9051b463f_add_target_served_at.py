"""When the last message left for a target with its own poll rate."""

import sqlalchemy as sa
from alembic import op

revision = "72d9051b463f"
down_revision = "61c8f40a352e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("monitoring_targets", sa.Column("served_at", sa.DateTime()))


def downgrade() -> None:
    op.drop_column("monitoring_targets", "served_at")
