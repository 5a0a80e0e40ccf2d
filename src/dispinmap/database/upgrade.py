"""From whatever schema a database has to the one this code needs."""

from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from dispinmap.database.engine import sync_engine
from dispinmap.database.errors import DatabaseError
from dispinmap.database.verify import revision, verify

LEGACY_REVISION = "6f6f6afb1af3"
UNIQUE_LOCATION_REVISION = "5c8e4212f5ed"
ORIGINAL_BASELINE = "68d948f60b7a"
"""The original bot's own stamp on production's tables: a revision that did nothing."""

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


def upgrade(url: str) -> None:
    """Bring the database at `url` to head, creating or stamping it where that is due, and verify it.

    `url` is a synchronous SQLAlchemy URL. Every revision is one transaction: after a crash, call this again.
    Raises DatabaseError if the database is of another origin, newer than this code, or wrong afterwards.
    """
    config = alembic_config(url)
    try:
        before = _recognise(url, config)
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseError(str(error)) from error
    except DBAPIError as error:
        raise DatabaseError(
            f"The database cannot be upgraded ({error.orig}): check that its folder exists, that it may be written and "
            "that no other program holds it, then start again."
        ) from error
    problems = verify(url)
    if problems:
        raise DatabaseError(f"The database is not what this version needs: {' '.join(problems)}")
    after = revision(url)
    if after != before:
        structlog.get_logger().info("database_upgraded", before=before, after=after)


def head() -> str:
    """The revision this code needs."""
    found = _script().get_current_head()
    if found is None:
        raise DatabaseError("This installation has no revisions: install it again.")
    return found


def alembic_config(url: str | None = None) -> Config:
    """Settings for `alembic.command` without alembic.ini, so that an installed wheel can migrate too."""
    config = Config()
    folder = Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def _recognise(url: str, config: Config) -> str | None:
    """Stamp a legacy database, refuse a foreign one; the stamp it has then."""
    stamp = revision(url)
    columns = _columns(url) if stamp in (None, ORIGINAL_BASELINE, UNIQUE_LOCATION_REVISION) else {}
    if stamp in (None, ORIGINAL_BASELINE):
        if not columns:
            return None
        _require_legacy(columns)
        command.stamp(config, LEGACY_REVISION, purge=True)
        return LEGACY_REVISION
    if stamp == UNIQUE_LOCATION_REVISION and "display_name" not in columns.get("monitoring_targets", ()):
        raise DatabaseError(
            f"This database was migrated to {stamp} by the original bot, which drops the coordinates of cities on the "
            "way: start from a copy made before that."
        )
    if stamp not in {script.revision for script in _script().walk_revisions()}:
        raise DatabaseError(
            f"The database is at revision {stamp}, which this version does not know: it was made by a newer version or "
            "by another program. Install the newer version, or point SQLALCHEMY_URL at the right database."
        )
    return stamp


def _require_legacy(columns: dict[str, set[str]]) -> None:
    if columns != _LEGACY_COLUMNS:
        raise DatabaseError(
            f"The database has no revision, and its tables ({', '.join(sorted(columns))}) are not those the original "
            "bot had in production: point SQLALCHEMY_URL at the right database, or at a new file."
        )


def _columns(url: str) -> dict[str, set[str]]:
    """The columns of every table that is neither Alembic's nor Litestream's."""
    engine = sync_engine(url)
    try:
        inspector = inspect(engine)
        tables = [name for name in inspector.get_table_names() if not name.startswith(("_litestream_", "alembic_"))]
        return {name: {column["name"] for column in inspector.get_columns(name)} for name in tables}
    finally:
        engine.dispose()


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())
