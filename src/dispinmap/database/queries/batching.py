"""Statements over many rows, in pieces that every database accepts."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.tables import Base

CHUNK: Final = 500
"""SQLite before 3.32 takes at most 999 bound values in a statement."""

T = TypeVar("T")


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """`values` in lists of at most `size`."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


async def insert_new(session: AsyncSession, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows whose keys are not there yet and leave the others as they are."""
    if not rows:
        return
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 -- 2 MiB that a bot on SQLite does not need

        await session.execute(postgresql.insert(cast("Table", table.__table__)).on_conflict_do_nothing(), list(rows))
    else:
        await session.execute(sqlite.insert(cast("Table", table.__table__)).on_conflict_do_nothing(), list(rows))
