"""From whatever schema a database has to the one this code needs."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count

import structlog
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

from dispinmap.database.adopt.shapes import foreign
from dispinmap.database.chain import alembic_config, head, scripts
from dispinmap.database.engine import sync_engine
from dispinmap.database.errors import DatabaseError
from dispinmap.database.handmade import give_channels
from dispinmap.database.progress import Progress, Report, silent
from dispinmap.database.safety import only_one, prepare_new, safety_net
from dispinmap.database.verify import revision, verify

__all__ = [
    "LEGACY_REVISION",
    "ORIGINAL_BASELINE",
    "UNIQUE_LOCATION_REVISION",
    "alembic_config",
    "columns_of",
    "downgrade",
    "head",
    "recognise",
    "upgrade",
]

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


log = structlog.get_logger(__name__)


def upgrade(url: str, *, progress: Report = silent, checked: bool = False) -> None:
    """Bring the database at `url` to head, creating or stamping it where that is due, and verify it.

    `url` is a synchronous SQLAlchemy URL. Every revision is one transaction: after a crash, call this again. Before an
    SQLite file is changed it is copied; if anything is off afterwards the copy is put back. What was `checked` page by
    page just now is not read as a whole again if nothing has to be changed.
    Raises DatabaseError if the database is of another origin, newer than this code, or wrong afterwards.
    """
    with only_one(url):
        before = recognise(revision(url), _columns(url))
        with safety_net(url, before if before != head() else None, progress):
            if before not in (None, LEGACY_REVISION):
                give_channels(url)
            _climb(url, before, progress)
            problems = verify(url, progress=progress, integrity=not (checked and before == head()))
            if problems:
                raise DatabaseError(f"The database is not what this version needs: {' '.join(problems)}")
    if before != head():
        log.info("database_upgraded", before=before, after=head())


def downgrade(url: str, to: str, *, progress: Report = silent) -> None:
    """Take the database at `url` back to the revision `to`, also written as Alembic does: "-1".

    The file is copied first, and the copy put back if anything goes wrong.
    Raises DatabaseError if there is no way back to that revision.
    """
    with only_one(url):
        before = recognise(revision(url), _columns(url))
        if before is None:
            raise DatabaseError("There is no database yet, so there is nothing to take back: check the path.")
        with safety_net(url, before, progress):
            _translated(command.downgrade, alembic_config(url), to)
    log.info("database_downgraded", before=before, after=revision(url))


def _climb(url: str, before: str | None, progress: Report) -> None:
    """Run the revisions from `before` to head."""
    if before == head():
        return
    if before is None:
        prepare_new(url)
    config = alembic_config(url)
    if before == LEGACY_REVISION:
        _translated(partial(command.stamp, purge=True), config, LEGACY_REVISION)
    steps = [script.doc for script in scripts().iterate_revisions(head(), before or "base")][::-1]
    done = count(1)
    progress(Progress("upgrade", 0, len(steps)))
    config.attributes["after_step"] = lambda: progress(Progress("upgrade", next(done), len(steps)))
    _translated(command.upgrade, config, "head")


def _translated(run: Callable[[Config, str], None], config: Config, to: str) -> None:
    """Run one of Alembic's commands; its errors leave as sentences."""
    try:
        run(config, to)
    except CommandError as error:
        raise DatabaseError(str(error)) from error
    except DBAPIError as error:
        raise DatabaseError(
            f"The database cannot be changed ({error.orig}): check that its folder exists, that it may be written and "
            "that no other program holds it, then start again."
        ) from error


def recognise(stamp: str | None, columns: Mapping[str, set[str]]) -> str | None:
    """The revision that a database with these tables amounts to, whatever its stamp; None for a new one.

    `columns` are those of every table that is neither Alembic's nor Litestream's, see `columns_of`.
    Raises DatabaseError for a foreign one and for one newer than this code.
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
        # The original bot used this id too, and the stamp alone can lie.
        return LEGACY_REVISION
    if stamp not in {script.revision for script in scripts().walk_revisions()}:
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


def _columns(url: str) -> dict[str, set[str]]:
    engine = sync_engine(url, looking=True)
    try:
        with engine.connect() as connection:
            return columns_of(connection)
    finally:
        engine.dispose()


def columns_of(connection: Connection) -> dict[str, set[str]]:
    """The columns of every table that is neither Alembic's nor Litestream's."""
    inspector = inspect(connection)
    tables = [name for name in inspector.get_table_names() if not name.startswith(("_litestream_", "alembic_"))]
    return {name: {column["name"] for column in inspector.get_columns(name)} for name in tables}
