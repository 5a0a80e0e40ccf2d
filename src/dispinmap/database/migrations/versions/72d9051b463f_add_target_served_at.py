"""When the last message for a target with a poll rate of its own left."""

import sqlalchemy as sa
from alembic import op

revision = "72d9051b463f"
down_revision = "61c8f40a352e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("monitoring_targets") as batch:
        batch.add_column(sa.Column("served_at", sa.DateTime()))


def downgrade() -> None:
    with op.batch_alter_table("monitoring_targets") as batch:
        batch.drop_column("served_at")
