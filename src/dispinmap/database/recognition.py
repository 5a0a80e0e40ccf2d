"""Which revision a database is at, judged by its stamp and its tables: the stamp alone can be wrong."""

from collections.abc import Mapping

from sqlalchemy import Connection, inspect

from dispinmap.database.adopt.shapes import foreign
from dispinmap.database.errors import DatabaseError
from dispinmap.database.revisions import LEGACY_REVISION, ORIGINAL_BASELINE, UNIQUE_LOCATION_REVISION, revisions

_LEGACY_COLUMNS = {
    "channel_configs": {
        "channel_id",
        "guild_id",
        "poll_rate_minutes",
        "notification_types",
        "is_active",
        "last_poll_at",
        "created_at",
        "updated_at",
    },
    "monitoring_targets": {
        "id",
        "channel_id",
        "target_type",
        "target_name",
        "target_data",
        "poll_rate_minutes",
        "notification_types",
        "last_checked_at",
        "created_at",
    },
    "seen_submissions": {"id", "channel_id", "submission_id", "seen_at"},
}


def recognise(stamp: str | None, columns: Mapping[str, set[str]]) -> str | None:
    """The revision that a database with this stamp and these tables is at; None for a new one.

    `columns` are the result of `columns_of`. Raises DatabaseError for a database that cannot be upgraded in place, and
    for one newer than this code.
    """
    shape = foreign(columns)
    if shape is not None:
        raise DatabaseError(
            f"This is {shape}, which is not upgraded in place: move the file away (with its -wal, if there is one) and "
            "run `dispinmap db adopt FILE` with its new name."
        )
    if stamp in (None, ORIGINAL_BASELINE):
        if not columns:
            return None
        _require_legacy(columns)
        return LEGACY_REVISION
    if stamp == UNIQUE_LOCATION_REVISION and columns == _LEGACY_COLUMNS:
        # The original bot stamped its own tables with this id too.
        return LEGACY_REVISION
    if stamp not in revisions():
        raise DatabaseError(
            f"The database is at revision {stamp}, which this version does not know: it was made by a newer version or "
            "by another program. Install the newer version, or point SQLALCHEMY_URL at the right database."
        )
    return stamp


def _require_legacy(columns: Mapping[str, set[str]]) -> None:
    if columns != _LEGACY_COLUMNS:
        raise DatabaseError(
            f"The database has no revision, and its tables ({', '.join(sorted(columns))}) are not those the original "
            "bot had in production: point SQLALCHEMY_URL at the right database, or at a new file."
        )


def columns_of(connection: Connection) -> dict[str, set[str]]:
    """The columns of every table that is neither Alembic's nor Litestream's."""
    inspector = inspect(connection)
    tables = [name for name in inspector.get_table_names() if not name.startswith(("_litestream_", "alembic_"))]
    return {name: {column["name"] for column in inspector.get_columns(name)} for name in tables}
