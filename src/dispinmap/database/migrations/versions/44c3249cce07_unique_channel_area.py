"""An area is identified by its text: at most once per channel."""

import sqlalchemy as sa
from alembic import op

revision = "44c3249cce07"
down_revision = "dd0d10936ffd"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "unique_channel_area",
        "monitoring_targets",
        ["channel_id", "target_type", "target_name"],
        unique=True,
        sqlite_where=sa.text("location_id IS NULL"),
        postgresql_where=sa.text("location_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("unique_channel_area", "monitoring_targets")
