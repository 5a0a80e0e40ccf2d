"""An index to find the fastest channel without reading the others."""

from alembic import op

revision = "61c8f40a352e"
down_revision = "50b7e3f9241d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_channel_configs_poll_rate_minutes", "channel_configs", ["poll_rate_minutes"])


def downgrade() -> None:
    op.drop_index("ix_channel_configs_poll_rate_minutes", "channel_configs")
