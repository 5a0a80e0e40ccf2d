"""A column for Pinball Map's id of a location."""

import sqlalchemy as sa
from alembic import op

revision = "456027f000c1"
down_revision = "a621e3a2bf29"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("monitoring_targets", recreate="always") as batch:
        batch.add_column(sa.Column("location_id", sa.Integer()), insert_after="display_name")


def downgrade() -> None:
    with op.batch_alter_table("monitoring_targets") as batch:
        batch.drop_column("location_id")
