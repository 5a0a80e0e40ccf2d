"""Trust, but verify: the live schema against the models, and the file against itself."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, DefaultClause, Engine, Index
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import ColumnCollectionConstraint

from dispinmap.database.engine import sync_engine
from dispinmap.database.errors import DatabaseError
from dispinmap.database.migrations.options import COMPARISON
from dispinmap.database.tables import Base


def verify(url: str) -> list[str]:
    """What is off in the database at `url`, a sentence each; nothing if it is as the code needs it."""
    if _missing_file(url):
        return [f"There is no database at {make_url(url).database}: check the path."]
    engine = sync_engine(url)
    try:
        with engine.connect() as connection:
            return [*_damage(connection), *broken_references(connection), *_differences(connection)]
    except DBAPIError as error:
        return [f"The database cannot be read ({error.orig}): restore a backup of it."]
    finally:
        engine.dispose()


def revision(url: str) -> str | None:
    """The revision the database at `url` is stamped with; None without a stamp or without a database.

    Raises DatabaseError if the file is no database or carries several stamps.
    """
    if _missing_file(url):
        return None
    engine = sync_engine(url)
    try:
        return _stamp(engine)
    except DBAPIError as error:
        raise DatabaseError(f"The database at {engine.url!r} cannot be read ({error.orig}): check the file.") from error
    finally:
        engine.dispose()


def broken_references(connection: Connection) -> list[str]:
    """Rows whose foreign key points nowhere, a sentence per table and parent."""
    if connection.dialect.name != "sqlite":
        return []
    rows = connection.exec_driver_sql(
        'SELECT "table", parent, COUNT(*), MIN(rowid) FROM pragma_foreign_key_check GROUP BY 1, 2'
    )
    return [
        f"{table} refers to rows of {parent} that are not there (how many: {count}, the first: {first})."
        for table, parent, count, first in rows
    ]


def _missing_file(url: str) -> bool:
    """Opening an SQLite file that is not there would create it."""
    parsed = make_url(url)
    return parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file()


def _stamp(engine: Engine) -> str | None:
    with engine.connect() as connection:
        heads = MigrationContext.configure(connection).get_current_heads()
    if len(heads) > 1:
        raise DatabaseError(f"The database carries several revisions ({', '.join(heads)}): restore a backup of it.")
    return heads[0] if heads else None


def _damage(connection: Connection) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    lines = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    return [f"The file is damaged: {line}." for line in lines if line != "ok"]


def _differences(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={**COMPARISON, "target_metadata": Base.metadata})
    return [_sentence(difference) for difference in _flat(compare_metadata(context, Base.metadata))]


def _flat(differences: Iterable[Any]) -> Iterable[Sequence[Any]]:
    """Alembic puts the differences of one column into a list of their own."""
    for difference in differences:
        if isinstance(difference, list):
            yield from difference
        else:
            yield difference


def _sentence(difference: Sequence[Any]) -> str:
    """One of Alembic's difference tuples in words; their shapes are those of `compare_metadata`."""
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
