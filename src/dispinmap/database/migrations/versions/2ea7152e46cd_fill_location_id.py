"""A location's id moves from its text column to a number.

A location whose text is not a number keeps its row, with a NULL id and the text added to its name. It is not watched,
and `/list` says what to do.
"""

import re
from collections.abc import Mapping
from typing import Any

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
    *(
        sa.column(name)
        for name in (
            "id",
            "channel_id",
            "target_type",
            "target_name",
            "display_name",
            "target_data",
            "location_id",
        )
    ),
)


def upgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(targets).where(targets.c.target_type == "location")).all()
    numbers = {row.id: _number(row.target_data) for row in rows}
    _set(connection, targets.c.location_id, {key: number for key, number in numbers.items() if number is not None})
    without = [row for row in rows if numbers[row.id] is None]
    texts = {row.id: f"{row.target_name} ({row.target_data})" for row in without if str(row.target_data or "").strip()}
    _set(connection, targets.c.display_name, texts)
    log = structlog.get_logger()
    for row in without:
        log.warning("location_without_id", target_id=row.id, channel_id=row.channel_id)


def downgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(targets).where(targets.c.target_type == "location")).all()
    texts = {row.id: str(row.location_id) for row in rows if row.location_id is not None}
    junk = {row.id: text for row in rows if row.location_id is None and (text := _text_behind_name(row)) is not None}
    _set(connection, targets.c.target_data, texts | junk)
    _set(connection, targets.c.display_name, dict.fromkeys(junk))


def _text_behind_name(row: sa.Row[Any]) -> str | None:
    start, shown = f"{row.target_name} (", row.display_name or ""
    return shown[len(start) : -1] if shown.startswith(start) and shown.endswith(")") else None


def _number(text: object) -> int | None:
    if not isinstance(text, str | int) or not re.fullmatch(r"\s*[0-9]{1,10}\s*", str(text)):
        return None
    number = int(text)
    return number if 0 < number <= LARGEST_ID else None


def _set(connection: sa.Connection, column: sa.ColumnClause[Any], values: Mapping[int, object]) -> None:
    if values:
        one = targets.update().where(targets.c.id == sa.bindparam("row_id"))
        rows = [{"row_id": key, "value": value} for key, value in values.items()]
        connection.execute(one.values({column.name: sa.bindparam("value")}), rows)
