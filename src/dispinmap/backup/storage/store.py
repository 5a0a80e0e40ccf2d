"""The interface of the storage for replicas and leases."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from dispinmap.backup.errors import Conflict


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object. `key` is the full key in the bucket; in a folder it is the absolute path of the file."""

    key: str
    size: int
    updated_at: datetime
    """When this content was stored; later changes of metadata do not count."""
    fingerprint: str
    """Changes when the object is overwritten: Google's generation, S3's ETag, or a file's inode and time."""


@dataclass(frozen=True, slots=True)
class Content:
    """An object's bytes, and the version to name in a conditional write."""

    data: bytes
    version: str


def changed(stored: StoredObject) -> Conflict:
    """The error if an object is no longer as it was listed."""
    return Conflict(f"{stored.key} was overwritten or deleted after it was listed: list the backup again.")


class Store(Protocol):
    """One bucket, or the folders of one machine.

    Every call may raise StorageUnreachable or StorageRefused. Each answer has the seconds given to `open_store`; a page
    of a listing or a part of a download is one answer. The first call may take longer. There is nothing to close.
    """

    async def list(self, prefix: str) -> list[StoredObject]:
        """All objects below the path `prefix` ("db" finds "db/…", never "db-v5/…"), sorted by key.

        Raises StorageRefused if there is no such bucket.
        """
        ...

    async def read(self, key: str) -> Content | None:
        """The object, or None if there is none."""
        ...

    async def write(self, key: str, data: bytes, *, replacing: str | None) -> str:
        """Write the object if its version is still `replacing` (None: if it does not exist); returns the new version.

        Otherwise raises Conflict and writes nothing.
        """
        ...

    async def download(self, stored: StoredObject, target: Path) -> None:
        """Write the object, as it was listed, to `target`; on failure nothing is written.

        Raises Conflict if the object was overwritten or deleted since.
        """
        ...
