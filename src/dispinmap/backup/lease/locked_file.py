"""A file locked with flock. Everything here blocks."""

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
"""Reserved at the first write, so that we can still write the lease if the disk fills up later."""
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
"""Errors of network file systems without locks: https://man7.org/linux/man-pages/man2/flock.2.html"""


class LockedFile:
    """A file that stays locked until it is closed or our process ends in any way. Child processes do not inherit it."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self._path = path
        self._file = file
        # Without this lock `close` could run during a write, and the descriptor could already be another file's.
        self._using = threading.Lock()

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Lock the file at `path`, and create it if needed; None if someone else has locked it.

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
        # The file was deleted between our opening and locking it: others would lock a new one at this path.
        locked.close()
        return None

    def is_in_place(self) -> bool:
        """Whether the path still leads to this file, so that others would try to lock the same one."""
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
        """Overwrite the content in place: a new file would not be locked.

        We write once, and never less than before, so that a crash leaves the old content or the new, not a mixture.
        """
        with _translated(self._path), self._using:
            descriptor = self._file.fileno()
            os.pwrite(descriptor, data.ljust(max(os.fstat(descriptor).st_size, ROOM_BYTES)), 0)
            os.fsync(descriptor)

    def close(self) -> None:
        with self._using:
            self._file.close()

    def __del__(self) -> None:
        # If the caller timed out while a thread was still in `take`, no one else would ever unlock the file.
        self._file.close()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise StorageRefused(
            f"{path} cannot be created, because there is no folder {path.parent}: mount the volume it is on, or create "
            "the folder if this is the first start."
        ) from None
    except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise StorageRefused(
            f"{path} cannot be used ({error.strerror}): let the user that runs the bot write to {path.parent}."
        ) from None
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise StorageRefused(
                f"{path} cannot be locked ({error.strerror}): put the replica on a file system that knows locks, such "
                "as a local disk's."
            ) from None
        raise StorageUnreachable(
            f"{path} cannot be locked or written ({error.strerror}): check the disk and its free space."
        ) from error
