"""An index to find due notifications without reading sent ones."""

import sqlalchemy as sa
from alembic import op

revision = "a50c384e7962"
down_revision = "94fb273d6851"
branch_labels = None
depends_on = None


def upgrade() -> None:
    unsent = sa.text("state = 'pending' AND message_id IS NULL")
    op.create_index(
        "ix_notifications_unsent",
        "notifications",
        ["due_at"],
        sqlite_where=unsent,
        postgresql_where=unsent,
    )


def downgrade() -> None:
    op.drop_index("ix_notifications_unsent", "notifications")
