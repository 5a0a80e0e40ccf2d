"""The text of an area that its map cells were computed from, so that changes by hand are noticed."""

import sqlalchemy as sa
from alembic import op

revision = "1c5a7f30e8b2"
down_revision = "f18a42c6d0b7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("monitoring_targets", sa.Column("mapped_name", sa.String()))


def downgrade() -> None:
    op.drop_column("monitoring_targets", "mapped_name")
