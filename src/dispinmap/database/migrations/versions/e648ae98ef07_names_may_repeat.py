"""A downgrade makes equal names different, because the original bot's constraint requires it."""

import sqlalchemy as sa
from alembic import op

revision = "e648ae98ef07"
down_revision = "cb881913de5a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing to do: names that differ may stay."""


def downgrade() -> None:
    targets = sa.table(
        "monitoring_targets",
        *(sa.column(name) for name in ("id", "channel_id", "target_type", "target_name", "target_data")),
    )
    connection = op.get_bind()
    rows = connection.execute(sa.select(targets).order_by(targets.c.id)).all()
    taken = {(row.channel_id, row.target_type, row.target_name) for row in rows}
    met = set()
    for row in rows:
        key = (row.channel_id, row.target_type, row.target_name)
        if key in met:
            key = _untaken(key, row.target_data or row.id, taken)
            connection.execute(targets.update().where(targets.c.id == row.id).values(target_name=key[2]))
            taken.add(key)
        met.add(key)


def _untaken(key: tuple[int, str, str], mark: object, taken: set[tuple[int, str, str]]) -> tuple[int, str, str]:
    while key in taken:
        key = (key[0], key[1], f"{key[2]} ({mark})")
    return key
