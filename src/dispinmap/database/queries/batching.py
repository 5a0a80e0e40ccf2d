"""Statements over many rows, in chunks that every database accepts."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from sqlalchemy import Select, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.tables import Base

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

CHUNK: Final = 500
"""SQLite before 3.32 takes at most 999 bound values in a statement."""

UNSYNCHRONIZED: Final = {"synchronize_session": False}
"""Execution options for changes to tables of which the session holds no objects that it would have to update."""

T = TypeVar("T")


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """`values` in lists of at most `size`."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


async def insert_new(session: AsyncSession, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows whose keys are new. Rows that exist stay as they are."""
    if rows:
        await session.execute(_insert(session, table).on_conflict_do_nothing(), list(rows))


async def insert_new_from(
    session: AsyncSession, table: type[Base], columns: Sequence[str], rows: Select[*tuple[Any, ...]]
) -> None:
    """Like `insert_new`, with the rows of a query. It needs a WHERE, or SQLite reads ON CONFLICT as a join's ON."""
    await session.execute(_insert(session, table).from_select(columns, rows).on_conflict_do_nothing())


def _insert(session: AsyncSession, table: type[Base]) -> "sqlite.Insert | postgresql.Insert":
    target = cast("Table", table.__table__)
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 -- 2 MiB that a bot on SQLite does not need

        return postgresql.insert(target)
    return sqlite.insert(target)
