"""What a copy of the database is worth: looked at without changing it, and judged by pure rules."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, func, select, table
from sqlalchemy.exc import DBAPIError

from dispinmap.backup.continuity import is_later_elsewhere
from dispinmap.backup.models import Heartbeat, LeaseRecord
from dispinmap.database.adopt.shapes import foreign
from dispinmap.database.engine import sync_engine
from dispinmap.database.errors import DatabaseError
from dispinmap.database.recognition import columns_of, recognise
from dispinmap.database.revisions import LEGACY_REVISION, head, stamps
from dispinmap.database.schema import schema_problems
from dispinmap.database.tables import HeartbeatRow
from dispinmap.database.verify import broken_references

SHOWN_DAMAGES: Final = 3
"""Lines of SQLite's integrity check that a report repeats; a torn file has hundreds of them."""
BOT_TABLES: Final = frozenset({"submissions", "seen_submissions", "notifications", "messages", "drills"})
"""Tables in which the bot itself adds and forgets rows all the time; in the others people's commands do."""
ROWS_UNDER_WAY: Final = 2000
"""More than the bot writes or forgets in the seconds that a good copy is behind: ten whole pages of the feed."""
MAX_LAG: Final = timedelta(minutes=2)
"""Four heartbeats, which the storage had time enough to take."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What one look at a database file found."""

    revision: str | None = None
    """The one that its tables amount to; None where that could not be told."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """By table, without Alembic's and Litestream's."""
    heartbeat: Heartbeat | None = None
    problems: tuple[str, ...] = ()
    """Why it must not be used, a sentence each."""

    @property
    def is_another(self) -> bool:
        """Whether it can be read, and is nothing that this version can upgrade: the problem says what it is."""
        return self.revision is None and bool(self.rows)


def look_at(file: Path, *, integrity: bool = True) -> Copy:
    """Look at a database file, whoever uses it meanwhile, without changing it or leaving anything beside it.

    Blocks; without `integrity` it skips SQLite's own check, which reads every page (100 MB: about a second).
    Whatever is wrong is among the problems, also a file that is not there or is no database.
    """
    if not file.is_file():
        return Copy(problems=(f"There is no file at {file}.",))
    try:
        with _reading(file) as connection:
            damages = _damages(connection) if integrity else ()
            return Copy(problems=damages) if damages else _contents(connection)
    except DBAPIError as error:
        return Copy(problems=(f"The file cannot be read as a database ({error.orig}).",))


def read_heartbeat(file: Path) -> Heartbeat | None:
    """The heartbeat in a database file; None where there is none or the file cannot be read. Blocks."""
    return look_at(file, integrity=False).heartbeat


def staleness(copy: Copy, lease: LeaseRecord | None) -> str | None:
    """Why the copy is not the newest state, if its heartbeat is older than one that `lease` knows the replica to hold.

    Or if it is later, and not of the bot that wrote last: what a folder stored while a clock was ahead stays the newest
    by its times, after which Litestream 0.3 goes.
    """
    if lease is None:
        return None
    if copy.heartbeat is not None and is_later_elsewhere(copy.heartbeat, lease):
        return (
            f"The copy was written until {copy.heartbeat.beat_at:%Y-%m-%d %H:%M:%S} UTC, and not by the bot that wrote "
            f"last, until {lease.written_until:%Y-%m-%d %H:%M:%S} UTC: a clock was ahead, and what was stored then "
            "passes for the newest. `dispinmap backup restore --at` with that last time goes on from the right state."
        )
    expected = lease.heartbeat_at
    if expected is None or (copy.heartbeat is not None and copy.heartbeat.beat_at >= expected):
        return None
    ends = f"ends at {copy.heartbeat.beat_at:%Y-%m-%d %H:%M:%S} UTC" if copy.heartbeat else "has no heartbeat"
    return f"The copy {ends}, but the replica already held what was written until {expected:%Y-%m-%d %H:%M:%S} UTC."


def lag(copy: Copy, live: Copy) -> str | None:
    """Why the copy is too far behind the live database, or not of its newest state; None where it is neither."""
    if live.heartbeat is None:
        return None
    if copy.heartbeat is None:
        return "The live database has a heartbeat and the copy has none: it is from before the bot's last start."
    behind = live.heartbeat.beat_at - copy.heartbeat.beat_at
    related = live.heartbeat.holder in (copy.heartbeat.holder, copy.heartbeat.previous_holder)
    if behind < timedelta(0) and not related:
        return (
            "The copy has a later heartbeat than the live database, of an earlier run of the bot: a clock was ahead "
            "then, and what was stored passes for the newest."
        )
    return f"The copy is {behind.total_seconds():.0f} seconds behind the live database." if behind > MAX_LAG else None


def compare(copy: Copy, *live: Copy) -> list[str]:
    """What the copy lacks or has too much of, judged by looks at the live database: nothing where it may be its copy.

    Pass one look at a database at rest; while a bot runs, one before and one after the copy was made. A table's rows
    must then be between both looks; where the bot itself writes all the time `ROWS_UNDER_WAY` more or less are fine.
    """
    revisions = {look.revision for look in live}
    if copy.revision not in revisions:
        return [f"The copy is at revision {copy.revision}, the live database at {live[-1].revision}."]
    names = sorted({*copy.rows, *(name for look in live for name in look.rows)})
    return [sentence for name in names if (sentence := _count_problem(name, copy, live))]


def _count_problem(name: str, copy: Copy, live: tuple[Copy, ...]) -> str | None:
    slack = ROWS_UNDER_WAY if name in BOT_TABLES and len(live) > 1 else 0
    counts = [look.rows.get(name, 0) for look in live]
    found = copy.rows.get(name, 0)
    if min(counts) - slack <= found <= max(counts) + slack:
        return None
    return f"{name} has {found} rows in the copy and {counts[-1]} in the live database."


@contextmanager
def _reading(file: Path) -> Iterator[Connection]:
    """SQLite makes files beside a WAL database even to read it; "immutable" does without, where nobody writes."""
    # SQLite has a log beside the file itself, not beside a link to it.
    file = file.resolve()
    mode = {"mode": "ro"} if Path(f"{file}-wal").exists() else {"immutable": "1"}
    # Quoted once for SQLite, which reads a URI, and once more for SQLAlchemy.
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


def _contents(connection: Connection) -> Copy:
    columns = columns_of(connection)
    rows = {name: connection.scalars(select(func.count()).select_from(table(name))).one() for name in columns}
    heartbeat = _heartbeat(connection) if "heartbeat" in columns else None
    try:
        revision = _revision(connection, columns)
    except DatabaseError as error:
        return Copy(None, rows, heartbeat, (str(error),))
    return Copy(revision, rows, heartbeat, tuple(_schema_problems(connection, revision)))


def _heartbeat(connection: Connection) -> Heartbeat | None:
    row = connection.execute(select(HeartbeatRow.beat_at, HeartbeatRow.holder, HeartbeatRow.previous_holder)).first()
    if row is None or row.beat_at is None or row.holder is None:
        return None
    return Heartbeat(row.beat_at, row.holder, row.previous_holder)


def _revision(connection: Connection, columns: Mapping[str, set[str]]) -> str:
    if (shape := foreign(columns)) is not None:
        raise DatabaseError(
            f"It is {shape}, which is not upgraded in place: `dispinmap backup fetch` gets it as a file, and "
            "`dispinmap db adopt FILE` makes the bot's database from that."
        )
    heads = stamps(connection)
    if len(heads) > 1:
        raise DatabaseError(f"The database carries several revisions ({', '.join(heads)}).")
    found = recognise(heads[0] if heads else None, columns)
    if found is None:
        raise DatabaseError("The database has no tables.")
    return found


def _schema_problems(connection: Connection, revision: str) -> list[str]:
    # The original bot did not enforce foreign keys; the upgrade gives such rows their channel.
    references = [] if revision == LEGACY_REVISION else broken_references(connection)
    return references + (schema_problems(connection) if revision == head() else [])
