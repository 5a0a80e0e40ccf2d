"""A column for the score that a person posted."""

import sqlalchemy as sa
from alembic import op

revision = "f18a42c6d0b7"
down_revision = "c7d03b5a91e2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submissions", sa.Column("high_score", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("submissions", "high_score")
