"""A copy of somebody's database that never touches the original, not even with a lock."""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from dispinmap.database.adopt.shapes import Columns
from dispinmap.database.errors import DatabaseError

COMPANIONS = ("", "-wal", "-journal")
"""The files that make up a database: without its log or journal the newest rows are missing."""
ATTEMPTS = 3
_SQLITE_MAGIC = b"SQLite format 3\0"
_LZ4_MAGIC = b"\x04\x22\x4d\x18"


def take(source: Path, folder: Path) -> Path:
    """Copy the database `source` into `folder` and make the copy whole. Returns the copy.

    The bytes are copied because SQLite itself would leave traces: a read-only connection makes a -shm file beside a
    log, and an immutable one does not see the log. Raises DatabaseError where `source` is missing, is no database, is
    damaged, or is being written to.
    """
    source = source.resolve()
    _require_database(source)
    copy = folder / "copy.db"
    for _ in range(ATTEMPTS):
        if _copied(source, copy) == _digests(source):
            _require_intact(copy, source)
            return copy
    raise DatabaseError(f"{source} is being written to: stop the bot that uses it, then try again.")


def columns(copy: Path) -> Columns:
    """The columns of every table but SQLite's and Alembic's own."""
    with closing(sqlite3.connect(copy)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
            for table in tables
            if not table.startswith(("sqlite_", "alembic_"))
        }


def _require_database(source: Path) -> None:
    if not source.is_file():
        raise DatabaseError(f"There is no file {source}: check the path.")
    with source.open("rb") as file:
        start = file.read(len(_SQLITE_MAGIC))
    if start.startswith(_LZ4_MAGIC):
        raise DatabaseError(f"{source} is a compressed snapshot: decompress it first (lz4 -d FILE NEW.db).")
    if start != _SQLITE_MAGIC:
        raise DatabaseError(f"{source} is no SQLite database: check which file you mean.")


def _copied(source: Path, copy: Path) -> list[str | None]:
    """Copy every companion; the digests of what was copied."""
    for from_, to in zip(_files(source), _files(copy), strict=True):
        to.unlink(missing_ok=True)
        if from_.is_file():
            shutil.copyfile(from_, to)
    return _digests(copy)


def _digests(database: Path) -> list[str | None]:
    """Those of a source, taken after copying, equal the copy's only if nothing changed during all that time."""
    return [_digest(path) for path in _files(database)]


def _files(database: Path) -> list[Path]:
    return [database.with_name(database.name + companion) for companion in COMPANIONS]


def _digest(path: Path) -> str | None:
    """None where there is no such file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_intact(copy: Path, source: Path) -> None:
    try:
        with closing(sqlite3.connect(copy)) as connection:
            # Into the file with the log: what follows copies and opens the file as one.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            # A row that its own table would refuse today is no damage: it is read like any other.
            connection.execute("PRAGMA ignore_check_constraints = ON")
            lines = [line for (line,) in connection.execute("PRAGMA integrity_check(5)")]
    except sqlite3.DatabaseError as error:
        lines = [str(error)]
    if lines != ["ok"]:
        raise DatabaseError(f"{source} is damaged ({'; '.join(lines)}): restore a backup of it and adopt that.")
