"""Changing a schema safely: after making a copy, which is put back if the change fails."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import structlog

from dispinmap.database import copies
from dispinmap.database.errors import DatabaseError
from dispinmap.database.progress import OnProgress
from dispinmap.database.verify import revision

log = structlog.get_logger(__name__)


@contextmanager
def safety_net(url: str, before: str | None, progress: OnProgress) -> Iterator[None]:
    """Copy the database, which is at revision `before`, and put the copy back if the block fails with any error.

    `before` is None if nothing is going to change. If an earlier block was interrupted by a crash, its copy is used
    instead of a new one. Without an SQLite file there is no copy, and the log says so.
    """
    file = copies.sqlite_file(url)
    if file is None and before is not None:
        log.warning("no_copy_before_upgrade", reason="only an SQLite file is copied", cure="back the server up first")
    copy = _copy(file, before, progress) if file is not None and file.is_file() else None
    try:
        yield
    except Exception as error:
        if file is None or copy is None or _unchanged(file, copy):
            raise
        raise DatabaseError(f"{error} {_put_back(copy, file, progress)}") from error
    if file is not None and copy is not None:
        _set_mark(file, 0)


def prepare_new(url: str) -> None:
    """Make a new database able to give free pages back. SQLite allows this only before the first table exists."""
    file = copies.sqlite_file(url)
    if file is not None:
        with _open(file) as connection:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")


def _copy(file: Path, before: str | None, progress: OnProgress) -> Path | None:
    """The copy of an interrupted change if the database is still half-way; otherwise a new copy, or None."""
    copy = copies.copy_marked(file, _mark(file))
    if copy is not None and not _unchanged(file, copy):
        return copy
    if before is None:
        return None
    copy = copies.copy_of(file, before)
    copies.copy_database(file, copy, progress)
    _set_mark(file, copies.mark_of(before))
    copies.prune_copies(file)
    return copy


def _unchanged(file: Path, copy: Path) -> bool:
    """Whether `file` is at the revision of `copy`: as each revision is one transaction, nothing has changed then."""
    return revision(f"sqlite:///{file}") == revision(f"sqlite:///{copy}")


def _put_back(copy: Path, file: Path, progress: OnProgress) -> str:
    """Put the copy back. Returns a sentence about the result."""
    try:
        copies.put_back(copy, file, progress)
    except DatabaseError as error:
        return str(error)
    log.warning("copy_put_back", copy=copy.name)
    return f"The database is as it was before: {copy.name} was put back."


def _mark(file: Path) -> int:
    with _open(file) as connection:
        (mark,) = connection.execute("PRAGMA user_version").fetchone()
    return int(mark)


def _set_mark(file: Path, mark: int) -> None:
    with _open(file) as connection:
        connection.execute(f"PRAGMA user_version = {mark}")


@contextmanager
def _open(file: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(copies.connect(file)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise DatabaseError(
            f"{file} cannot be changed ({error}): check that it is writable and that no other program has locked it."
        ) from error
