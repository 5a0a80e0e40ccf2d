"""Which bot wrote a database, judged by its tables (pure): the stamp alone can be wrong."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from dispinmap.database.errors import DatabaseError

Columns = Mapping[str, Collection[str]]
"""The names of every table's columns, by table."""

LITESTREAM_TABLES = frozenset({"_litestream_seq", "_litestream_lock"})


class Shape(StrEnum):
    """The values are shown in reports."""

    PRODUCTION = "the original bot's production database"
    NO_COORDINATES = "the original bot's database after its own migration, which dropped the coordinates of cities"
    REDESIGN = "the original bot's redesign with latitude and longitude columns"
    EARLY = "the original bot's database from before SQLAlchemy"
    OURS = "a database of this bot"


FOREIGN = frozenset({Shape.NO_COORDINATES, Shape.REDESIGN, Shape.EARLY})
"""Shapes that no revision starts from: their rows are read and written into a new database."""


def recognise(columns: Columns) -> Shape:
    """Raises DatabaseError if no bot that we know has these tables."""
    targets = set(columns.get("monitoring_targets", ()))
    if {"latitude", "longitude", "display_name"} <= targets:
        return Shape.REDESIGN
    if "display_name" in targets:
        return Shape.OURS
    if "target_data" in targets:
        return Shape.PRODUCTION if "poll_rate_minutes" in targets else Shape.EARLY
    if {"location_id", "target_name"} <= targets:
        return Shape.NO_COORDINATES
    tables = ", ".join(sorted(columns)) or "none"
    raise DatabaseError(
        f"This is not a database of DisPinMap or of the original bot (its tables: {tables}): check which file you mean."
    )


def foreign(columns: Columns) -> Shape | None:
    """The shape, if the bot cannot upgrade the database in place and `dispinmap db adopt` can take it over."""
    try:
        shape = recognise(columns)
    except DatabaseError:
        return None
    return shape if shape in FOREIGN else None


def require_known(stamp: str | None, revisions: Collection[str]) -> None:
    """Only for `Shape.OURS`. Raises DatabaseError if this version cannot upgrade the database."""
    if stamp is None:
        raise DatabaseError(
            "This database has the tables of this bot but no revision: restore a backup of it, or stamp it with the "
            "revision it was at (alembic stamp REVISION) on a copy and adopt that."
        )
    if stamp not in revisions:
        raise DatabaseError(
            f"This database is at revision {stamp}, which is newer than this version of the bot: install the newer "
            "version and try again."
        )
