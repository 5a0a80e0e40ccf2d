"""No revision loses a row: if rows are gone that it did not report as merged, it is undone."""

from collections import Counter
from collections.abc import Mapping

import sqlalchemy as sa

_MERGED = "dispinmap_merged_rows"


def count_rows(connection: sa.Connection) -> dict[str, int]:
    """The rows of every table but Alembic's and Litestream's."""
    names = [
        name for name in sa.inspect(connection).get_table_names() if not name.startswith(("_litestream_", "alembic_"))
    ]
    return {
        name: connection.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one() for name in names
    }


def report_merged(connection: sa.Connection, table: str, rows: int) -> None:
    """Report, from within a revision, that this number of rows of `table` was merged into others."""
    connection.info.setdefault(_MERGED, Counter())[table] += rows


def take_merged(connection: sa.Connection) -> Counter[str]:
    """What was reported since the last call."""
    merged: Counter[str] = connection.info.pop(_MERGED, Counter())
    return merged


def unaccounted(before: Mapping[str, int], after: Mapping[str, int], merged: Mapping[str, int]) -> list[str]:
    """A sentence for each table with too few rows. Tables that the revision drops or makes are ignored."""
    return [
        f"{table} had {before[table]} rows, {merged.get(table, 0)} were merged, and {after[table]} are left."
        for table in sorted(before.keys() & after.keys())
        if after[table] < before[table] - merged.get(table, 0)
    ]
