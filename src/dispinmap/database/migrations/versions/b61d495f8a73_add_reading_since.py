"""When the reading of a gap in the feed began."""

import sqlalchemy as sa
from alembic import op

revision = "b61d495f8a73"
down_revision = "a50c384e7962"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feed_state", sa.Column("reading_since", sa.DateTime()))


def downgrade() -> None:
    op.drop_column("feed_state", "reading_since")
