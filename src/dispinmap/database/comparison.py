"""How the live schema differs from the models, in sentences."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from alembic.autogenerate import compare_metadata
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, DefaultClause, Index, Inspector, Table, inspect
from sqlalchemy.schema import ColumnCollectionConstraint

from dispinmap.database.tables import Base
from dispinmap.database.types import UtcDateTime


def _is_ours(name: str | None, kind: str, _parents: Mapping[str, str | None]) -> bool:
    """Litestream's own tables in the file are neither reported nor dropped."""
    return not (kind == "table" and name is not None and name.startswith("_litestream_"))


def _render(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Revisions spell types in plain SQLAlchemy, so that an old one never depends on today's code."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, UtcDateTime) else False


COMPARISON: Final[Mapping[str, Any]] = {
    "compare_type": True,
    "compare_server_default": True,
    "include_name": _is_ours,
    "render_as_batch": True,
    "render_item": _render,
}
"""How Alembic compares the live schema with the models, in its own commands and in `differences`."""


def differences(connection: Connection) -> list[str]:
    """Tables, columns, types, nullability, defaults, keys, constraints and indexes that differ from the models."""
    context = MigrationContext.configure(connection, opts={**COMPARISON, "target_metadata": Base.metadata})
    found = [_sentence(difference) for difference in _flat(compare_metadata(context, Base.metadata))]
    inspector = inspect(connection)
    for table in Base.metadata.sorted_tables:
        if inspector.has_table(table.name):
            found += [*_primary_key(inspector, table), *_checks(inspector, table), *_conditions(inspector, table)]
    return found


def _primary_key(inspector: Inspector, table: Table) -> list[str]:
    """Alembic does not compare primary keys."""
    found = inspector.get_pk_constraint(table.name)["constrained_columns"]
    wanted = [column.name for column in table.primary_key]
    if found == wanted:
        return []
    return [f"{table.name}: the primary key is ({', '.join(found)}) and should be ({', '.join(wanted)})."]


def _checks(inspector: Inspector, table: Table) -> list[str]:
    """Alembic does not compare CHECKs."""
    found = {_plain(check["sqltext"]) for check in inspector.get_check_constraints(table.name)}
    wanted = {_plain(each.sqltext) for each in table.constraints if isinstance(each, CheckConstraint)}
    return [
        *(f"{table.name}: CHECK ({text}) is missing." for text in sorted(wanted - found)),
        *(f"{table.name}: CHECK ({text}) should not be there." for text in sorted(found - wanted)),
    ]


def _conditions(inspector: Inspector, table: Table) -> list[str]:
    """Alembic does not compare the conditions of partial indexes."""
    where = f"{inspector.dialect.name}_where"
    wanted = {index.name: _plain(index.dialect_kwargs.get(where)) for index in table.indexes}
    found = {
        index["name"]: _plain(index.get("dialect_options", {}).get(where))
        for index in inspector.get_indexes(table.name)
    }
    return [
        f"{table.name}: index {name} holds {_rows(found[name])} and should hold {_rows(wanted[name])}."
        for name in sorted(wanted.keys() & found.keys(), key=str)
        if found[name] != wanted[name]
    ]


def _rows(condition: str) -> str:
    return f"the rows where {condition}" if condition else "all rows"


def _plain(sql: object) -> str:
    """A condition without outer brackets and in lower case, because databases differ in both; empty for None."""
    text = "" if sql is None else " ".join(str(sql).split()).lower()
    return text[1:-1] if re.fullmatch(r"\([^()]*\)", text) else text


def _flat(differences: Iterable[Any]) -> Iterable[Sequence[Any]]:
    """All differences in one list: Alembic groups those of one column in a list of their own."""
    for difference in differences:
        if isinstance(difference, list):
            yield from difference
        else:
            yield difference


def _sentence(difference: Sequence[Any]) -> str:
    """Describe one of the tuples that Alembic's `compare_metadata` returns."""
    kind, *what = difference
    if kind.startswith("modify_"):
        _schema, table, column, _known, found, wanted = what
        return f"{table}.{column}: {kind.removeprefix('modify_')} is {_shown(found)} and should be {_shown(wanted)}."
    verb, _, thing = kind.partition("_")
    state = "is missing" if verb == "add" else "should not be there"
    if thing == "column":
        return f"{what[1]}: column {what[2].name} {state}."
    if thing == "table":
        return f"The table {what[0].name} {state}."
    return f"{what[0].table.name}: {thing} {_constraint_name(what[0])} {state}."


def _constraint_name(item: ColumnCollectionConstraint | Index) -> str:
    return str(item.name or f"on {', '.join(column.name for column in item.columns)}")


def _shown(value: object) -> str:
    """A type or a truth value, or the text of a default, as an operator reads it."""
    return str(value.arg) if isinstance(value, DefaultClause) else str(value)
