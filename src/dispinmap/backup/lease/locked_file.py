"""A file that one open file description on this machine has locked. Everything here blocks."""

import errno
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Final, Self

from dispinmap.backup.errors import StorageRefused, StorageUnreachable

ROOM_BYTES: Final = 1024
"""Taken at once, so that a disk that fills up later does not refuse to write the lease."""
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
"""What network file systems answer: https://man7.org/linux/man-pages/man2/flock.2.html"""


class LockedFile:
    """Locked until closed, or until the process ends, however it does. Programs started meanwhile do not inherit it."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self._path = path
        self._file = file
        # A descriptor that is closed while another thread writes to it may be some other file's by then.
        self._using = threading.Lock()

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Lock `path`, made if it is not there; None while it is locked elsewhere.

        Raises StorageRefused and StorageUnreachable.
        """
        with _translated(path):
            file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                return None
            except BaseException:
                file.close()
                raise
        locked = cls(path, file)
        if locked.is_in_place():
            return locked
        # It was deleted between opening and locking: others would lock another one.
        locked.close()
        return None

    def is_in_place(self) -> bool:
        """Whether who opens the path now gets this file."""
        with _translated(self._path), self._using:
            try:
                return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
            except FileNotFoundError:
                return False

    def read(self) -> bytes:
        with _translated(self._path), self._using:
            self._file.seek(0)
            return self._file.readall()

    def write(self, data: bytes) -> None:
        """Replace the content where it is, for a new file would not be locked.

        One call, and never shorter than before, so that a death leaves the old content or the new, not a mixture.
        """
        with _translated(self._path), self._using:
            descriptor = self._file.fileno()
            os.pwrite(descriptor, data.ljust(max(os.fstat(descriptor).st_size, ROOM_BYTES)), 0)
            os.fsync(descriptor)

    def close(self) -> None:
        with self._using:
            self._file.close()

    def __del__(self) -> None:
        # Whoever wanted it may have given up waiting, and nobody would ever unlock it.
        self._file.close()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise StorageRefused(
            f"{path} cannot be made, because there is no folder {path.parent}: mount the volume it is on, or create "
            "the folder if this is the first start."
        ) from None
    except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise StorageRefused(
            f"{path} cannot be used ({error.strerror}): let the user that runs the bot write to {path.parent}."
        ) from None
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise StorageRefused(
                f"{path} cannot be locked ({error.strerror}): put the replica on a file system that knows locks, as "
                "every local disk's does."
            ) from None
        raise StorageUnreachable(
            f"{path} cannot be locked or written ({error.strerror}): check the disk and its free space."
        ) from error
