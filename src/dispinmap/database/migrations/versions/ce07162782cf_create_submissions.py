"""Our copy of what Pinball Map reports."""

import sqlalchemy as sa
from alembic import op

revision = "ce07162782cf"
down_revision = "44c3249cce07"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("submission_type", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("location_id", sa.Integer()),
        sa.Column("location_name", sa.String()),
        sa.Column("city_name", sa.String()),
        sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()),
        sa.Column("machine_id", sa.Integer()),
        sa.Column("machine_name", sa.String()),
        sa.Column("user_name", sa.String()),
        sa.Column("comment", sa.String()),
        sa.Column("fed_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_submissions_created_at", "submissions", ["created_at"])


def downgrade() -> None:
    op.drop_table("submissions")
