"""The same location twice in a channel becomes one target, before a constraint forbids it."""

from alembic import op

from dispinmap.database.migrations.merging import merge_equal_locations

revision = "135f21f825fa"
down_revision = "79fe16949fc9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    merge_equal_locations(op.get_bind())


def downgrade() -> None:
    """Nothing to do: the merged target means the same as its copies."""
