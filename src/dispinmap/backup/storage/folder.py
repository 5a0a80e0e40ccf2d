"""A folder as object storage: an object is a file, its key is the absolute path."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from dispinmap.backup.errors import Conflict, StorageRefused, StorageUnreachable
from dispinmap.backup.models import Replica
from dispinmap.backup.storage.store import Content, StoredObject, changed

CHUNK_BYTES: Final = 2**20


class FolderStore:
    """Files on this machine. Nothing is retried: the operator has to repair a failing disk.

    A version is a hash of the content, because inode numbers are reused and two writes can have the same time.
    """

    def __init__(self, replica: Replica) -> None:
        self._name = str(replica)
        self._parent = Path(replica.path).parent

    def pages(self, prefix: str) -> Iterator[list[StoredObject]]:
        with self._translated():
            yield from _folders(prefix)

    def read(self, key: str) -> Content | None:
        with self._translated():
            data = _bytes(Path(key))
        return None if data is None else Content(data, _version(data))

    def write(self, key: str, data: bytes, replacing: str | None) -> str:
        path = Path(key)
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(path.parent) as folder:
                found = _bytes(path)
                if (None if found is None else _version(found)) != replacing:
                    raise Conflict(f"{path} was changed by someone else: read it again.")
                _put(path, data)
                os.fsync(folder)
        return _version(data)

    def chunks(self, stored: StoredObject) -> Iterator[bytes]:
        with self._translated():
            try:
                with Path(stored.key).open("rb") as file:
                    if _fingerprint(os.fstat(file.fileno())) != stored.fingerprint:
                        raise changed(stored)
                    while chunk := file.read(CHUNK_BYTES):
                        yield chunk
            except FileNotFoundError:
                raise changed(stored) from None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            if not self._parent.is_dir():
                # A volume that is not mounted must not look like an empty backup.
                raise StorageRefused(
                    f"{self._name} cannot be used, because there is no folder {self._parent}: mount the volume it is "
                    "on, or create the folder if this is the first start."
                )
            yield
        except (PermissionError, NotADirectoryError, IsADirectoryError) as error:
            raise StorageRefused(
                f"{error.filename or self._name} cannot be used ({error.strerror}): let the user that runs the bot "
                f"read and write the folder {self._name}."
            ) from None
        except OSError as error:
            raise StorageUnreachable(
                f"{self._name} fails ({error.strerror}): check the disk and its free space."
            ) from error


def _folders(prefix: str) -> Iterator[list[StoredObject]]:
    def failed(error: OSError) -> None:
        # Litestream deletes old files while we list.
        if not isinstance(error, FileNotFoundError):
            raise error

    for folder, _, names in os.walk(prefix, onerror=failed):
        yield [found for name in names if (found := _object(Path(folder, name)))]


def _object(path: Path) -> StoredObject | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return StoredObject(str(path), stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC), _fingerprint(stat))


def _fingerprint(stat: os.stat_result) -> str:
    return f"{stat.st_ino}-{stat.st_mtime_ns}"


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _version(data: bytes) -> str:
    return sha256(data).hexdigest()


def _put(path: Path, data: bytes) -> None:
    """Replace the file in one step, so that readers and a power cut leave the old content or the new."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Lock the folder itself: such a lock ends with the process, however the process ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
