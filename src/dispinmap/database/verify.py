"""Checking a database: its schema against the models, its file for damage, and its rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Column, Connection, String, Table, func, select, type_coerce
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispinmap.database.engine import sync_engine
from dispinmap.database.errors import DatabaseError
from dispinmap.database.progress import OnProgress, Progress, silent
from dispinmap.database.queries.targets import to_target
from dispinmap.database.revisions import head, stamps
from dispinmap.database.schema import schema_problems
from dispinmap.database.tables import Base, ChannelConfigRow, MonitoringTargetRow
from dispinmap.database.types import UtcDateTime
from dispinmap.targets.kinds import NotificationKind, unknown_words


def verify(url: str, *, progress: OnProgress = silent, integrity: bool = True) -> list[str]:
    """The problems of the database at `url`, a sentence each; empty if there are none.

    Without `integrity` this skips SQLite's own check, which reads every page.
    """
    if missing(url):
        return [f"There is no database at {make_url(url).database}: check the path."]
    try:
        with _connected(url) as connection:
            return _problems(connection, progress, integrity=integrity)
    except DBAPIError as error:
        return [f"The database cannot be read ({error.orig}): restore a backup of it."]
    except DatabaseError as error:
        return [str(error)]


def notes(url: str) -> list[str]:
    """Rows of a database at head that need attention, with what to do, a sentence each.

    These are targets that cannot be watched, unknown kinds of notifications, and unreadable times.
    """
    with _connected(url) as connection, Session(connection) as session:
        return [*_unwatched(session), *_unknown_kinds(session), *_unreadable_times(session)]


def revision(url: str) -> str | None:
    """The revision the database at `url` is stamped with; None without a stamp or without a database.

    Raises DatabaseError if the file is not a database or has several stamps.
    """
    if missing(url):
        return None
    try:
        with _connected(url) as connection:
            return _stamp(connection)
    except DBAPIError as error:
        raise DatabaseError(
            f"The database at {make_url(url)!r} cannot be read ({error.orig}): check the file."
        ) from error


def broken_references(connection: Connection) -> list[str]:
    """Rows whose foreign key points to no row, a sentence per table and parent."""
    if connection.dialect.name != "sqlite":
        return []
    rows = connection.exec_driver_sql(
        'SELECT "table", parent, COUNT(*), MIN(rowid) FROM pragma_foreign_key_check GROUP BY 1, 2'
    )
    return [
        f"{table} refers to rows of {parent} that do not exist (how many: {count}, the first: {first})."
        for table, parent, count, first in rows
    ]


def missing(url: str) -> bool:
    """Whether `url` names an SQLite file that does not exist. Opening it would create it."""
    parsed = make_url(url)
    return parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file()


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = sync_engine(url, keep_journal_mode=True)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _unwatched(session: Session) -> Iterator[str]:
    rows = session.scalars(select(MonitoringTargetRow).execution_options(yield_per=1000))
    for target in map(to_target, rows):
        if target.problem:
            yield f"Channel {target.channel_id}, target {target.id}: {target.problem}"


def _unknown_kinds(session: Session) -> Iterator[str]:
    for table, key in ((ChannelConfigRow, ChannelConfigRow.channel_id), (MonitoringTargetRow, MonitoringTargetRow.id)):
        column = table.notification_types
        for row, stored in session.execute(select(key, column).where(column.is_not(None)).order_by(key)):
            if words := unknown_words(stored or ""):
                yield (
                    f"{table.__tablename__}.notification_types of row {row} is “{stored}”. Unknown there: "
                    f"{', '.join(words)}. Use {', '.join(NotificationKind)}, or NULL for the default."
                )


def _unreadable_times(session: Session) -> Iterator[str]:
    """SQLite accepts any text as a time. Text that is not a time counts as NULL."""
    if session.get_bind().dialect.name != "sqlite":
        return
    for table in Base.metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, UtcDateTime):
                yield from _unreadable_times_in(session, table, column)


def _unreadable_times_in(session: Session, table: Table, column: Column[datetime]) -> Iterator[str]:
    (key,) = table.primary_key
    text = type_coerce(column, String)
    for row, value in session.execute(select(key, text).where(column.is_not(None), func.datetime(column).is_(None))):
        yield (
            f"{table.name}.{column.name} of row {row} is “{value}”, which is not a time: write it in UTC, such as "
            "2026-03-01 12:00:00."
        )


def _problems(connection: Connection, progress: OnProgress, *, integrity: bool) -> list[str]:
    checks = (*((_damage,) if integrity else ()), broken_references, _wrong_stamp, _differences_at_head)
    found: list[str] = []
    for done, check in enumerate(checks):
        progress(Progress("verify", done, len(checks)))
        found += check(connection)
    progress(Progress("verify", len(checks), len(checks)))
    return found


def _stamp(connection: Connection) -> str | None:
    heads = stamps(connection)
    if len(heads) > 1:
        raise DatabaseError(f"The database has several revisions ({', '.join(heads)}): restore a backup of it.")
    return heads[0] if heads else None


def _damage(connection: Connection) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    lines = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    return [f"The file is damaged: {line}." for line in lines if line != "ok"]


def _wrong_stamp(connection: Connection) -> list[str]:
    stamp = _stamp(connection)
    if stamp == head():
        return []
    here = f"at revision {stamp}" if stamp else "without a revision"
    return [f"The database is {here} and this version needs {head()}: run `dispinmap db upgrade`, or start the bot."]


def _differences_at_head(connection: Connection) -> list[str]:
    """Only at head, because differences at any other revision are intended."""
    return schema_problems(connection) if _stamp(connection) == head() else []
