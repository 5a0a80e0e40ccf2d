"""A location's id moves from its text column to a number.

A location whose text is no number keeps its row with a NULL id: it is shown with what to do, and not watched.
"""

import re

import sqlalchemy as sa
import structlog
from alembic import op

revision = "2ea7152e46cd"
down_revision = "e648ae98ef07"
branch_labels = None
depends_on = None

LARGEST_ID = 2**31 - 1  # of an INTEGER column in PostgreSQL

targets = sa.table(
    "monitoring_targets",
    *(sa.column(name) for name in ("id", "channel_id", "target_type", "target_data", "location_id")),
)


def upgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(targets).where(targets.c.target_type == "location")).all()
    found = [{"row_id": row.id, "value": _number(row.target_data)} for row in rows]
    _set(connection, targets.c.location_id, [one for one in found if one["value"] is not None])
    log = structlog.get_logger()
    for row, one in zip(rows, found, strict=True):
        if one["value"] is None:
            log.warning("location_without_id", target_id=row.id, channel_id=row.channel_id)


def downgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(targets).where(targets.c.location_id.is_not(None))).all()
    _set(connection, targets.c.target_data, [{"row_id": row.id, "value": str(row.location_id)} for row in rows])


def _number(text: object) -> int | None:
    if not isinstance(text, str | int) or not re.fullmatch(r"\s*[0-9]{1,10}\s*", str(text)):
        return None
    number = int(text)
    return number if 0 < number <= LARGEST_ID else None


def _set(connection: sa.Connection, column: sa.ColumnClause[object], values: list[dict[str, object]]) -> None:
    if values:
        one = targets.update().where(targets.c.id == sa.bindparam("row_id"))
        connection.execute(one.values({column.name: sa.bindparam("value")}), values)
