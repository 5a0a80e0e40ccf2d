"""How far back a gap in the feed has been read."""

import sqlalchemy as sa
from alembic import op

revision = "c72e5a609b84"
down_revision = "b61d495f8a73"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feed_state", sa.Column("unread_before", sa.DateTime()))


def downgrade() -> None:
    op.drop_column("feed_state", "unread_before")
