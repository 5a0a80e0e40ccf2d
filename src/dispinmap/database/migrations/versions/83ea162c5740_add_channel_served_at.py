"""When the last message at the channel's own poll rate left."""

import sqlalchemy as sa
from alembic import op

revision = "83ea162c5740"
down_revision = "72d9051b463f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("channel_configs") as batch:
        batch.add_column(sa.Column("served_at", sa.DateTime()))


def downgrade() -> None:
    with op.batch_alter_table("channel_configs") as batch:
        batch.drop_column("served_at")
