"""A column for what people call a target, so that a city keeps its name beside its coordinates."""

import sqlalchemy as sa
from alembic import op

revision = "a621e3a2bf29"
down_revision = "8d1f0b7c52ae"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("monitoring_targets", recreate="always") as batch:
        batch.add_column(sa.Column("display_name", sa.String()), insert_after="target_name")


def downgrade() -> None:
    with op.batch_alter_table("monitoring_targets") as batch:
        batch.drop_column("display_name")
