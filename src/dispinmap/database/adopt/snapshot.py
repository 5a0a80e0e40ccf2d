"""Copying a database without touching the original, not even with a lock."""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from dispinmap.database.adopt.shapes import Columns
from dispinmap.database.errors import DatabaseError

COMPANIONS = ("", "-wal", "-journal")
"""The files that make up a database. Without its log or journal, the newest rows are missing."""
ATTEMPTS = 3
_SQLITE_MAGIC = b"SQLite format 3\0"
_LZ4_MAGIC = b"\x04\x22\x4d\x18"


def take(source: Path, folder: Path) -> Path:
    """Copy the database `source` into `folder` and move the copy's log into it. Returns the copy.

    This copies the bytes because SQLite itself leaves traces: a read-only connection makes a -shm file beside a log,
    and an immutable one does not see the log. Raises DatabaseError if `source` is missing, not a database, damaged, or
    being written to.
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
        raise DatabaseError(f"{source} is not an SQLite database: check which file you mean.")


def _copied(source: Path, copy: Path) -> list[str | None]:
    """Copy every companion. Returns the digests of the copies."""
    for from_, to in zip(_files(source), _files(copy), strict=True):
        to.unlink(missing_ok=True)
        if from_.is_file():
            shutil.copyfile(from_, to)
    return _digests(copy)


def _digests(database: Path) -> list[str | None]:
    """If a source's digests, taken after copying, equal the copy's, nothing changed in between."""
    return [_digest(path) for path in _files(database)]


def _files(database: Path) -> list[Path]:
    return [database.with_name(database.name + companion) for companion in COMPANIONS]


def _digest(path: Path) -> str | None:
    """None if there is no such file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_intact(copy: Path, source: Path) -> None:
    try:
        with closing(sqlite3.connect(copy)) as connection:
            # Move the log into the file, because the next steps copy and open the file alone.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            # A row that breaks a CHECK is not damage: it is read like any other.
            connection.execute("PRAGMA ignore_check_constraints = ON")
            lines = [line for (line,) in connection.execute("PRAGMA integrity_check(5)")]
    except sqlite3.DatabaseError as error:
        lines = [str(error)]
    if lines != ["ok"]:
        raise DatabaseError(f"{source} is damaged ({'; '.join(lines)}): restore a backup of it and adopt that.")
