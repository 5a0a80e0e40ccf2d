"""Consistent copies of an SQLite file, made and put back with SQLite's own backup API.

The copy before an upgrade is named after the revision it holds. While the upgrade is under way the database's own
`user_version` says which copy that is: it survives a crash, and comes and goes with the file it is about.
"""

import fcntl
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.engine import make_url

from dispinmap.database.engine import BUSY_TIMEOUT_MS
from dispinmap.database.errors import DatabaseError
from dispinmap.database.progress import Progress, Report

KEPT_COPIES: Final = 3
PAGES_AT_A_TIME: Final = 2000
"""8 MB at SQLite's usual page size: a report every few hundredths of a second."""
_REVISION_DIGITS: Final = 7
"""Of a revision's twelve hexadecimal digits; `user_version` is a signed number of 32 bits."""

log = structlog.get_logger(__name__)


def sqlite_file(url: str) -> Path | None:
    """The file behind a database URL; None for other databases and for those in memory."""
    parsed = make_url(url)
    name = parsed.database
    if parsed.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def copy_database(source: Path, target: Path, progress: Report) -> None:
    """Write one consistent state of `source` to `target`, whole or not at all, whoever writes meanwhile.

    An older file at `target` is replaced. Raises DatabaseError where it cannot be read, written or is damaged.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        remove_file(part)
        with closing(_connect(source)) as reading, closing(_connect(part)) as writing:
            # A view of one moment, so that a busy writer cannot make the copying start over and over.
            reading.execute("BEGIN")
            reading.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            writing.execute("PRAGMA journal_mode = OFF")
            _transfer(reading, writing, progress, "copy")
            _require_whole(writing, source)
        shutil.copymode(source, part)
        put_in_place(part, target)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(
            f"{source} cannot be copied to {target} ({error}): check that the disk has room for it and that the folder "
            "may be written."
        ) from error
    finally:
        remove_file(part)


def put_back(copy: Path, file: Path, progress: Report) -> None:
    """Make `file` hold what `copy` holds, as one transaction of `file`: others see the old or the new, never a mixture.

    Raises DatabaseError where that cannot be done.
    """
    try:
        with closing(_connect(copy)) as reading, closing(_connect(file)) as writing:
            _require_free(writing)
            _transfer(reading, writing, progress, "put the copy back")
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(
            f"{copy} could not be put back ({error}): stop everything that uses {file}, delete it together with "
            f"{file.name}-wal and {file.name}-shm, and copy {copy.name} to its place."
        ) from error


def copy_of(file: Path, revision: str) -> Path:
    """Where the copy made before leaving `revision` lies."""
    return file.with_name(f"{file.name}.before-{revision}")


def prune_copies(file: Path, keep: int = KEPT_COPIES) -> None:
    """Delete all but the newest copies of `file` made before upgrades."""
    for old in sorted(_copies(file), key=lambda each: each.stat().st_mtime_ns, reverse=True)[keep:]:
        old.unlink()
        log.info("old_copy_deleted", copy=old.name)


def mark_of(revision: str) -> int:
    """The `user_version` of a database whose upgrade from `revision` is under way."""
    return int(revision[:_REVISION_DIGITS], 16)


def copy_marked(file: Path, mark: int) -> Path | None:
    """The copy that a database marked with `mark` would go back to, if it is there."""
    prefix = f"{file.name}.before-{mark:0{_REVISION_DIGITS}x}"
    return next((each for each in _copies(file) if each.name.startswith(prefix)), None) if mark else None


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Wait until no other process is in here with a database of the same folder.

    The folder itself carries the lock: it needs no file of its own, and ends with the process, however that ends.
    """
    try:
        folder = os.open(file.parent, os.O_RDONLY)
    except OSError as error:
        raise DatabaseError(
            f"The folder of {file} cannot be opened ({error.strerror}): check that it exists and may be read."
        ) from error
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("waiting_for_another_upgrade", folder=str(file.parent))
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _copies(file: Path) -> list[Path]:
    name = re.compile(re.escape(file.name) + r"\.before-[0-9a-f]+")
    return [each for each in file.parent.iterdir() if name.fullmatch(each.name)]


def remove_file(part: Path) -> None:
    """Remove it if it is there, also what SQLite kept beside a file that was being written when the process died."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        part.with_name(part.name + suffix).unlink(missing_ok=True)


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)


def _transfer(reading: sqlite3.Connection, writing: sqlite3.Connection, progress: Report, step: str) -> None:
    def report(_status: int, remaining: int, total: int) -> None:
        progress(Progress(step, total - remaining, total))

    reading.backup(writing, pages=PAGES_AT_A_TIME, progress=report)


def _require_free(writing: sqlite3.Connection) -> None:
    """The backup API would wait for another writer without end; this waits for the busy timeout and then raises."""
    writing.execute("BEGIN IMMEDIATE")
    writing.execute("ROLLBACK")


def _require_whole(copy: sqlite3.Connection, source: Path) -> None:
    (line,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if line != "ok":
        raise DatabaseError(
            f"{source} is damaged ({' '.join(line.split())}): restore a backup of it. It was not changed."
        )


def put_in_place(part: Path, target: Path) -> None:
    """Let `part` take the place of `target` so that it is there after a power cut too."""
    _sync(part)
    part.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
