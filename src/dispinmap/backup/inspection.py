"""Inspect a database file without changing it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, func, select, table
from sqlalchemy.exc import DBAPIError

from dispinmap.backup.models import Heartbeat
from dispinmap.database.adopt.shapes import foreign
from dispinmap.database.engine import sync_engine
from dispinmap.database.errors import DatabaseError
from dispinmap.database.recognition import columns_of, recognise
from dispinmap.database.revisions import LEGACY_REVISION, head, stamps
from dispinmap.database.schema import schema_problems
from dispinmap.database.tables import HeartbeatRow
from dispinmap.database.verify import broken_references

SHOWN_DAMAGES: Final = 3
"""How many lines of SQLite's integrity check we repeat; a damaged file can have hundreds."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What we found in a database file."""

    revision: str | None = None
    """The revision that its tables match; None if they match none we know."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Row count by table, without Alembic's and Litestream's tables."""
    heartbeat: Heartbeat | None = None
    problems: tuple[str, ...] = ()
    """Why the file must not be used, one sentence each."""

    @property
    def is_foreign(self) -> bool:
        """Whether the file is readable but not a database this version can upgrade; `problems` says what it is."""
        return self.revision is None and bool(self.rows)


def inspect_file(file: Path, *, integrity: bool = True) -> Inspection:
    """Inspect a database file, even one in use, without changing it or leaving files beside it. Blocks.

    Without `integrity` we skip SQLite's own check, which reads every page (about a second for 100 MB).
    `problems` also says if the file is missing or is not a database.
    """
    if not file.is_file():
        return Inspection(problems=(f"There is no file at {file}.",))
    try:
        with _reading(file) as connection:
            damages = _damages(connection) if integrity else ()
            return Inspection(problems=damages) if damages else _contents(connection)
    except DBAPIError as error:
        return Inspection(problems=(f"The file cannot be read as a database ({error.orig}).",))


def find_damage(file: Path) -> tuple[str, ...]:
    """What SQLite's own check finds, one sentence each. Blocks."""
    try:
        with _reading(file) as connection:
            return _damages(connection)
    except DBAPIError as error:
        return (f"The file cannot be read as a database ({error.orig}).",)


def read_heartbeat(file: Path) -> Heartbeat | None:
    """The heartbeat in a database file; None if it has none or cannot be read. Blocks."""
    return inspect_file(file, integrity=False).heartbeat


@contextmanager
def _reading(file: Path) -> Iterator[Connection]:
    # SQLite keeps its log beside the file itself, not beside a link to it.
    file = file.resolve()
    # Even to read a WAL database, SQLite creates files beside it. "immutable" avoids that, and is safe only if there
    # is no log: then no one has the database open for writing.
    mode = {"mode": "ro"} if Path(f"{file}-wal").exists() else {"immutable": "1"}
    # Quoted twice: once for SQLite's URI, once for SQLAlchemy's URL.
    url = URL.create("sqlite", database=f"file:{quote(str(file))}", query={**mode, "uri": "true"})
    engine = sync_engine(url.render_as_string(), keep_journal_mode=True)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _damages(connection: Connection) -> tuple[str, ...]:
    lines = connection.exec_driver_sql(f"PRAGMA integrity_check({SHOWN_DAMAGES})").scalars()
    return tuple(f"The file is damaged: {' '.join(line.split())}." for line in lines if line != "ok")


def _contents(connection: Connection) -> Inspection:
    columns = columns_of(connection)
    rows = {name: connection.scalars(select(func.count()).select_from(table(name))).one() for name in columns}
    heartbeat = _heartbeat(connection) if "heartbeat" in columns else None
    try:
        revision = _revision(connection, columns)
    except DatabaseError as error:
        return Inspection(None, rows, heartbeat, (str(error),))
    return Inspection(revision, rows, heartbeat, tuple(_schema_problems(connection, revision)))


def _heartbeat(connection: Connection) -> Heartbeat | None:
    row = connection.execute(select(HeartbeatRow.beat_at, HeartbeatRow.holder, HeartbeatRow.previous_holder)).first()
    if row is None or row.beat_at is None or row.holder is None:
        return None
    return Heartbeat(row.beat_at, row.holder, row.previous_holder)


def _revision(connection: Connection, columns: Mapping[str, set[str]]) -> str:
    if (shape := foreign(columns)) is not None:
        raise DatabaseError(
            f"It is {shape}, which cannot be upgraded in place: `dispinmap backup fetch` downloads it as a file, and "
            "`dispinmap db adopt FILE` makes the bot's database from that."
        )
    heads = stamps(connection)
    if len(heads) > 1:
        raise DatabaseError(f"The database has several revisions ({', '.join(heads)}).")
    found = recognise(heads[0] if heads else None, columns)
    if found is None:
        raise DatabaseError("The database has no tables.")
    return found


def _schema_problems(connection: Connection, revision: str) -> list[str]:
    # The original bot did not enforce foreign keys; the upgrade adds the missing channels.
    references = [] if revision == LEGACY_REVISION else broken_references(connection)
    return references + (schema_problems(connection) if revision == head() else [])
