"""Every time becomes readable: UTC without an offset, or NULL if the text is not a time.

SQLite accepts any text as a time. The log keeps the texts that become NULL.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from alembic import op

revision = "8d1f0b7c52ae"
down_revision = "c49cf21c6e65"
branch_labels = None
depends_on = None

COLUMNS = (
    ("channel_configs", "channel_id", ("last_poll_at", "created_at", "updated_at")),
    ("monitoring_targets", "id", ("last_checked_at", "created_at")),
    ("seen_submissions", "id", ("seen_at",)),
)
ROWS_AT_A_TIME = 5000
LONGEST_SHOWN = 100


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    for table_name, key_name, column_names in COLUMNS:
        for column_name in column_names:
            table = sa.table(table_name, sa.column(key_name), sa.column(column_name))
            for rows in _odd(connection, table):
                _rewrite(connection, table, rows)


def downgrade() -> None:
    """Nothing to do: times stay readable, and nothing that was known is lost."""


def _odd(connection: sa.Connection, table: sa.TableClause) -> Iterator[Sequence[sa.Row[Any, Any]]]:
    """Rows whose time is not written as SQLAlchemy or SQLite's CURRENT_TIMESTAMP write it."""
    key, column = table.c
    fraction = sa.func.substr(column, 20)
    usual = sa.and_(
        sa.func.typeof(column) == "text",
        sa.func.substr(column, 1, 19) == sa.func.datetime(column),
        sa.or_(fraction == "", fraction.op("GLOB")(".[0-9][0-9][0-9][0-9][0-9][0-9]")),
    )
    odd = sa.select(key, column).where(column.is_not(None), sa.func.coalesce(usual, sa.false()) == sa.false())
    odd = odd.order_by(key).limit(ROWS_AT_A_TIME)
    rows = connection.execute(odd).all()
    while rows:
        yield rows
        rows = connection.execute(odd.where(key > rows[-1][0])).all()


def _rewrite(connection: sa.Connection, table: sa.TableClause, rows: Sequence[sa.Row[Any, Any]]) -> None:
    key, column = table.c
    read = [{"row": row[0], "time": _read(row[1])} for row in rows]
    one = table.update().where(key == sa.bindparam("row")).values({column.name: sa.bindparam("time")})
    connection.execute(one, read)
    log = structlog.get_logger()
    for row, now in zip(rows, read, strict=True):
        if now["time"] is None:
            text = str(row[1])[:LONGEST_SHOWN]
            log.warning("unreadable_time", table=table.name, row=row[0], column=column.name, text=text)


def _read(value: object) -> str | None:
    try:
        time = datetime.fromisoformat(str(value).strip())
        time = time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return time.isoformat(sep=" ", timespec="microseconds")
