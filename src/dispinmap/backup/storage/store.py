"""The seam behind which replicas and leases are kept."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from dispinmap.backup.errors import Conflict


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object. `key` is whole, from the bucket's root; for a folder it is the absolute path of the file."""

    key: str
    size: int
    updated_at: datetime
    """When this content was stored, whatever was done to the object since."""
    fingerprint: str
    """Another one where it was overwritten: Google's generation, S3's ETag, or a file's inode and time."""


@dataclass(frozen=True, slots=True)
class Content:
    """An object's bytes, and the version that a conditional write names."""

    data: bytes
    version: str


def changed(stored: StoredObject) -> Conflict:
    """What a download raises where the object is not what was listed."""
    return Conflict(f"{stored.key} was overwritten or deleted after it was listed: list the backup again.")


class Store(Protocol):
    """One bucket, or the folders of one machine.

    Every call may raise StorageUnreachable or StorageRefused. No answer is waited for longer than the seconds given
    where it was opened: a listing's page or a part of a download is one answer. The first call may take longer.
    Closing it is not needed: nothing stays open between calls.
    """

    async def list(self, prefix: str) -> list[StoredObject]:
        """Everything below the path `prefix` ("db" finds "db/…", never "db-v5/…"), sorted by key.

        Nothing there is an empty list; a bucket that is not there raises StorageRefused.
        """
        ...

    async def read(self, key: str) -> Content | None:
        """The object, or None where there is none."""
        ...

    async def write(self, key: str, data: bytes, *, replacing: str | None) -> str:
        """Write it if its version still is `replacing` (None: if there is none), and return the new version.

        Raises Conflict, having written nothing, where that is not so.
        """
        ...

    async def download(self, stored: StoredObject, target: Path) -> None:
        """Write the object as it was listed to `target`, whole or not at all.

        Raises Conflict where it was overwritten or deleted since.
        """
        ...
