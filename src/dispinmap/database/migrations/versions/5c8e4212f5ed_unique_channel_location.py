"""A location is identified by its id, not its name: at most once per channel."""

from alembic import op

revision = "5c8e4212f5ed"
down_revision = "ec0274001f34"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("monitoring_targets") as batch:
        batch.create_unique_constraint("unique_channel_location", ["channel_id", "target_type", "location_id"])


def downgrade() -> None:
    with op.batch_alter_table("monitoring_targets") as batch:
        batch.drop_constraint("unique_channel_location", type_="unique")
