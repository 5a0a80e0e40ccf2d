"""One process per database file: a bot that runs on it, or a command that changes its schema, locks it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from dispinmap.database.backup import sqlite_file
from dispinmap.database.errors import DatabaseError


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
