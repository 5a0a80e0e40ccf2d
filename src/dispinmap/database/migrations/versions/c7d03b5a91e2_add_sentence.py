"""A column for Pinball Map's own sentence, which is all we can post if we do not know the type."""

import sqlalchemy as sa
from alembic import op

revision = "c7d03b5a91e2"
down_revision = "e41f60b98d27"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submissions", sa.Column("sentence", sa.String()))


def downgrade() -> None:
    op.drop_column("submissions", "sentence")
