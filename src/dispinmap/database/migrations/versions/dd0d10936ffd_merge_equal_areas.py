"""The same area twice in a channel becomes one target: areas have no id, and so far no constraint covered them."""

from alembic import op

from dispinmap.database.migrations.merging import merge_equal_areas

revision = "dd0d10936ffd"
down_revision = "5c8e4212f5ed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    merge_equal_areas(op.get_bind())


def downgrade() -> None:
    """Nothing to do: the merged target means the same as its copies."""
