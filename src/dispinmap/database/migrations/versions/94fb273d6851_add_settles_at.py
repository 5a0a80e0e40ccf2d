"""How far the feed must have been read before a notification may leave."""

import sqlalchemy as sa
from alembic import op

revision = "94fb273d6851"
down_revision = "83ea162c5740"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notifications", sa.Column("settles_at", sa.DateTime()))


def downgrade() -> None:
    op.drop_column("notifications", "settles_at")
