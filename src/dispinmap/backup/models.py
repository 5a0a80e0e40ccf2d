"""What the parts of the backup tell each other. Times are aware UTC, sizes bytes, durations seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from dispinmap.secret import Secret

V5_SUFFIX: Final = "-v5"
"""What the new format's path has behind the old one's: 0.5 never writes where 0.3 has written."""


class Format(StrEnum):
    """How a replica is laid out; each Litestream writes one of them."""

    V0_3 = "0.3"
    """`generations/<16 hex digits>/snapshots` and `wal`, LZ4: Litestream 0.3.x."""
    V0_5 = "0.5"
    """`ltx/<level>/<first>-<last>.ltx` (on S3 `<level as four digits>/...`): Litestream 0.5.x."""


class StorageKind(StrEnum):
    """Where replicas are kept."""

    GCS = "gcs"
    S3 = "s3"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Replica:
    """Where a database is replicated to.

    `path` is the key prefix in the bucket without slashes at its ends ("db"), or the absolute folder of a file replica.
    """

    kind: StorageKind
    path: str
    bucket: str | None = None
    endpoint: str | None = None
    """Of an S3-compatible server; None means Amazon's."""
    region: str | None = None
    force_path_style: bool = False
    access_key_id: str | None = None
    secret_access_key: Secret | None = None
    """None: the environment's credentials."""

    def __str__(self) -> str:
        """Its address for people, without credentials."""
        return f"file://{self.path}" if self.kind is StorageKind.FILE else f"{self.kind}://{self.bucket}/{self.path}"

    @property
    def lease_path(self) -> str:
        """The key (or file) of its lease: beside the replica, and one for both formats of it."""
        path = self.path
        while path.endswith(V5_SUFFIX):
            path = path.removesuffix(V5_SUFFIX)
        return f"{path}.lease"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A checked Litestream configuration of one database and one replica.

    `document` is the configuration file as YAML would have it, its variables expanded.
    """

    format: Format
    database: Path
    replica: Replica
    document: Mapping[str, object] = field(repr=False)
    source: str = "the settings"
    """Where it comes from, for people: a file's name, or "the settings"."""


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """A state that can be restored: a snapshot, or what a stored file of changes brings it to."""

    generation: str | None
    """0.3: the sixteen hexadecimal digits. None with 0.5, which has no generations."""
    position: str
    """0.3: the WAL index in hexadecimal, and of changes the offset in it; 0.5: the last transaction id in it."""
    kind: str
    """"snapshot" or "changes"."""
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The row that the bot writes at intervals, so that a copy can tell how old it is.

    `holder` names the run of the bot that wrote it, `previous_holder` the one that it took over from.
    """

    beat_at: datetime
    holder: str
    previous_holder: str | None


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What stands in the lease object.

    `writer` is the holder whose heartbeat the newest database carries. It differs from `holder` while a new holder
    has not opened the database yet. `heartbeat_at` is the newest heartbeat known to be in the replica.
    """

    holder: str
    host: str
    renewed_at: datetime
    seconds: float
    released: bool
    writer: str | None = None
    heartbeat_at: datetime | None = None
    writer_renewed_at: datetime | None = None
    """When the writer renewed it last, where it is not the holder any more."""

    @property
    def written_until(self) -> datetime:
        """When the writer was last there. A start that fails, and is tried again and again, holds the lease too."""
        return self.renewed_at if self.holder == self.writer else self.writer_renewed_at or self.renewed_at
