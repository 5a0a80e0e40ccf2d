"""One bot per database file: whoever runs on it, or changes its schema, keeps the others out."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from dispinmap.database.backup import sqlite_file
from dispinmap.database.errors import DatabaseError


def keep_others_out(url: str) -> AbstractContextManager[None]:
    """Hold the SQLite file behind a database URL; other databases, and those in memory, need none of this."""
    file = sqlite_file(url)
    return nullcontext() if file is None else in_use(file)


@contextmanager
def in_use(file: Path) -> Iterator[None]:
    """Hold `file`, which need not exist yet, for the block's length. Raises DatabaseError where somebody else does.

    The lock is on an empty file beside it, which stays: who deleted it could let two in. It is not on the database
    itself, because a restore replaces that. The kernel releases it with the process, however that ends.
    """
    file = file.resolve()
    try:
        lock = os.open(file.with_name(f"{file.name}.in-use"), os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise DatabaseError(
            f"The folder of {file} cannot be used ({error.strerror}): check that it exists and may be written."
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
            f"{file} cannot be held ({error.strerror}): its file system must know locks, as every local disk's does."
        ) from error
