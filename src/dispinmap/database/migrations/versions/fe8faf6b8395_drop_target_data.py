"""The column whose meaning depended on the row's type is dropped; its contents have their own columns now."""

import sqlalchemy as sa
from alembic import op

revision = "fe8faf6b8395"
down_revision = "135f21f825fa"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("monitoring_targets") as batch:
        batch.drop_column("target_data")


def downgrade() -> None:
    with op.batch_alter_table("monitoring_targets", recreate="always") as batch:
        batch.add_column(sa.Column("target_data", sa.String()), insert_after="target_name")
