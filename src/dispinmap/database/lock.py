"""Locks between processes: one bot per database file, and one change of a schema at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import structlog

from dispinmap.database.copies import sqlite_file
from dispinmap.database.errors import DatabaseError

log = structlog.get_logger(__name__)


def keep_others_out(url: str) -> AbstractContextManager[None]:
    """Lock the SQLite file behind a database URL. Other databases, and in-memory ones, are not locked."""
    file = sqlite_file(url)
    return nullcontext() if file is None else in_use(file)


@contextmanager
def in_use(file: Path) -> Iterator[None]:
    """Lock `file`, which need not exist yet, during the block. Raises DatabaseError if another process has locked it.

    The lock is on an empty file beside it, which is never deleted: deleting it could let two processes in. It is not on
    the database itself, because a restore replaces that. The kernel releases the lock even if the process is killed.
    """
    file = file.resolve()
    try:
        lock = os.open(file.with_name(f"{file.name}.in-use"), os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise DatabaseError(
            f"The folder of {file} cannot be used ({error.strerror}): check that it exists and is writable."
        ) from error
    try:
        _lock(lock, file)
        yield
    finally:
        os.close(lock)


def _lock(lock: int, file: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DatabaseError(f"Another bot is using {file}: stop it first.") from None
    except OSError as error:
        raise DatabaseError(
            f"{file} cannot be locked ({error.strerror}): put it on a file system that has locks, such as a local disk."
        ) from error


def one_change_at_a_time(url: str) -> AbstractContextManager[None]:
    """Make other processes that want to change a schema in the same folder wait. PostgreSQL has its own locks."""
    file = sqlite_file(url)
    return nullcontext() if file is None else _folder_locked(file)


@contextmanager
def _folder_locked(file: Path) -> Iterator[None]:
    """Lock the folder of `file` during the block, waiting for others that do the same.

    The lock is on the folder, so there is no lock file, and the kernel releases it if the process dies.
    """
    try:
        folder = os.open(file.parent, os.O_RDONLY)
    except OSError as error:
        raise DatabaseError(
            f"The folder of {file} cannot be opened ({error.strerror}): check that it exists and is readable."
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
