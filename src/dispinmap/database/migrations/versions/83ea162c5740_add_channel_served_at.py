"""When the last message left for the targets that follow the channel's poll rate."""

import sqlalchemy as sa
from alembic import op

revision = "83ea162c5740"
down_revision = "72d9051b463f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("channel_configs", sa.Column("served_at", sa.DateTime()))


def downgrade() -> None:
    op.drop_column("channel_configs", "served_at")
