"""Consistent copies of an SQLite file, made and put back with SQLite's own backup API.

The copy made before an upgrade is named after the revision it holds. During the upgrade, `user_version` in the database
says which copy that is: it survives a crash, and it stays with the file it describes.
"""

import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.engine import make_url

from dispinmap.database.engine import BUSY_TIMEOUT_MS
from dispinmap.database.errors import DatabaseError
from dispinmap.database.progress import OnProgress, Progress

KEPT_COPIES: Final = 3
PAGES_AT_A_TIME: Final = 2000
"""8 MB at SQLite's usual page size: a report every few hundredths of a second."""
_REVISION_DIGITS: Final = 7
"""How many of a revision's twelve hexadecimal digits fit into `user_version`, a signed 32-bit number."""

log = structlog.get_logger(__name__)


def sqlite_file(url: str) -> Path | None:
    """The file behind a database URL; None for other databases and for in-memory ones."""
    parsed = make_url(url)
    name = parsed.database
    if parsed.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def copy_database(source: Path, target: Path, progress: OnProgress) -> None:
    """Write one consistent state of `source` to `target`, completely or not at all, even if others write to `source`.

    An older file at `target` is replaced. Raises DatabaseError if `source` is damaged or cannot be read, or if the copy
    cannot be written.
    """
    temporary = target.with_name(f"{target.name}.part")
    try:
        remove_file(temporary)
        with closing(connect(source)) as reading, closing(connect(temporary)) as writing:
            # Inside a read transaction, because every write by others would otherwise restart the copying.
            reading.execute("BEGIN")
            reading.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            writing.execute("PRAGMA journal_mode = OFF")
            _transfer(reading, writing, progress, "copy")
            _require_whole(writing, source)
        shutil.copymode(source, temporary)
        put_in_place(temporary, target)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(
            f"{source} cannot be copied to {target} ({error}): check that the disk has enough room and that the folder "
            "is writable."
        ) from error
    finally:
        remove_file(temporary)


def put_back(copy: Path, file: Path, progress: OnProgress) -> None:
    """Restore `file` from `copy` in one transaction of `file`: others see the old or the new state, never a mixture.

    Raises DatabaseError if that fails.
    """
    try:
        with closing(connect(copy)) as reading, closing(connect(file)) as writing:
            _require_free(writing)
            _transfer(reading, writing, progress, "put the copy back")
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(
            f"{copy} could not be put back ({error}): stop everything that uses {file}, delete it together with "
            f"{file.name}-wal and {file.name}-shm, and copy {copy.name} to its place."
        ) from error


def copy_of(file: Path, revision: str) -> Path:
    """The path of the copy made before leaving `revision`."""
    return file.with_name(f"{file.name}.before-{revision}")


def prune_copies(file: Path, keep: int = KEPT_COPIES) -> None:
    """Delete all but the newest `keep` copies of `file` made before upgrades."""
    for old in sorted(_copies(file), key=lambda each: each.stat().st_mtime_ns, reverse=True)[keep:]:
        old.unlink()
        log.info("old_copy_deleted", copy=old.name)


def mark_of(revision: str) -> int:
    """The `user_version` that marks an unfinished upgrade from `revision`."""
    return int(revision[:_REVISION_DIGITS], 16)


def copy_marked(file: Path, mark: int) -> Path | None:
    """The copy that `mark` stands for; None for the mark 0, or if the copy is gone."""
    prefix = f"{file.name}.before-{mark:0{_REVISION_DIGITS}x}"
    return next((each for each in _copies(file) if each.name.startswith(prefix)), None) if mark else None


def _copies(file: Path) -> list[Path]:
    name = re.compile(re.escape(file.name) + r"\.before-[0-9a-f]+")
    return [each for each in file.parent.iterdir() if name.fullmatch(each.name)]


def remove_file(file: Path) -> None:
    """Remove a file if it exists, with the journals that SQLite leaves beside it if the process dies while writing."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def connect(file: Path) -> sqlite3.Connection:
    """Plain SQLite without implicit transactions. Waits as long as the bot does for another writer."""
    return sqlite3.connect(file, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)


def _transfer(reading: sqlite3.Connection, writing: sqlite3.Connection, progress: OnProgress, step: str) -> None:
    def report(_status: int, remaining: int, total: int) -> None:
        progress(Progress(step, total - remaining, total))

    reading.backup(writing, pages=PAGES_AT_A_TIME, progress=report)


def _require_free(writing: sqlite3.Connection) -> None:
    """Raise if another writer holds the file: the backup API would wait forever, this waits for the busy timeout."""
    writing.execute("BEGIN IMMEDIATE")
    writing.execute("ROLLBACK")


def _require_whole(copy: sqlite3.Connection, source: Path) -> None:
    (line,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if line != "ok":
        raise DatabaseError(
            f"{source} is damaged ({' '.join(line.split())}): restore a backup of it. It was not changed."
        )


def put_in_place(file: Path, target: Path) -> None:
    """Replace `target` with `file` so that a power cut cannot undo it."""
    _sync(file)
    file.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
