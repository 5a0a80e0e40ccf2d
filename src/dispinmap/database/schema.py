"""Whether the live schema matches the models: first by SQLite's own descriptions of both, then with Alembic."""

import re
from collections.abc import Hashable
from functools import cache
from typing import Final

from sqlalchemy import Connection, create_engine

from dispinmap.database.tables import Base

_NOT_OURS: Final = ("sqlite_", "_litestream_", "alembic_")
_CLAUSES: Final = re.compile(r"\b(?:CHECK|AUTOINCREMENT|COLLATE|GENERATED|STRICT|WITHOUT|CONFLICT|DEFERRABLE)\b")
"""Clauses of a table that no PRAGMA reports."""


def schema_problems(connection: Connection) -> list[str]:
    """How the live schema differs from the models, a sentence each.

    If SQLite describes the live schema exactly like the models' schema, there is no difference. Otherwise Alembic
    decides which differences count. It takes 13 MiB of memory and 0.2 s, which a bot with a good database saves.
    """
    if is_as_modelled(connection):
        return []
    from dispinmap.database.comparison import differences  # noqa: PLC0415 -- it imports Alembic

    return differences(connection)


def is_as_modelled(connection: Connection) -> bool:
    """Whether SQLite describes this schema as it describes one made from the models; False for other databases."""
    return connection.dialect.name == "sqlite" and _description(connection) == _modelled()


@cache
def _modelled() -> Hashable:
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            Base.metadata.create_all(connection)
            return _description(connection)
    finally:
        engine.dispose()


def _description(connection: Connection) -> Hashable:
    rows = connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master").all()
    ours = [row for row in rows if not row.tbl_name.startswith(_NOT_OURS)]
    tables = frozenset((row.name, _table(connection, row.name, row.sql)) for row in ours if row.type == "table")
    others = frozenset((row.type, row.name) for row in ours if row.type not in ("table", "index"))
    # Indexes that SQLite makes for constraints have no SQL; `_table` describes them.
    indexes = frozenset((row.tbl_name, _plain(row.sql)) for row in ours if row.type == "index" and row.sql)
    return tables, indexes, others


def _table(connection: Connection, name: str, sql: str) -> Hashable:
    def pragma(query: str, *parameters: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in connection.exec_driver_sql(query, parameters)]

    columns = pragma('SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)', name)
    keys = pragma('SELECT id, seq, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?)', name)
    constraints = pragma("SELECT origin, name FROM pragma_index_list(?) WHERE origin <> 'c'", name)
    unique = [
        (origin, *pragma("SELECT name FROM pragma_index_info(?) ORDER BY seqno", str(index)))
        for origin, index in constraints
    ]
    clauses = sorted(_CLAUSES.findall(sql.upper()))
    # Without the ids of foreign keys and constraints: they only follow the order in the SQL, which does not matter.
    return frozenset(columns), frozenset(key[1:] for key in keys), frozenset(unique), tuple(clauses)


def _plain(sql: str) -> str:
    return " ".join(sql.replace('"', "").split()).lower()
