"""Down to where a gap in the feed has been read."""

import sqlalchemy as sa
from alembic import op

revision = "c72e5a609b84"
down_revision = "b61d495f8a73"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("feed_state") as batch:
        batch.add_column(sa.Column("unread_before", sa.DateTime()))


def downgrade() -> None:
    with op.batch_alter_table("feed_state") as batch:
        batch.drop_column("unread_before")
