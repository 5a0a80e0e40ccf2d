"""Names no longer identify a target: two venues may share one, and one venue may have had two."""

from alembic import op

revision = "cb881913de5a"
down_revision = "456027f000c1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("monitoring_targets") as batch:
        batch.drop_constraint("unique_channel_target", type_="unique")


def downgrade() -> None:
    with op.batch_alter_table("monitoring_targets") as batch:
        batch.create_unique_constraint("unique_channel_target", ["channel_id", "target_type", "target_name"])
