"""The same area twice in a channel becomes one target: the constraint so far let equal NULLs pass."""

from alembic import op

from dispinmap.database.migrations.merging import merge_equal_areas

revision = "dd0d10936ffd"
down_revision = "5c8e4212f5ed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    merge_equal_areas(op.get_bind())


def downgrade() -> None:
    """One target means what its copies meant: there is nothing to take apart."""
