"""The data types of the backup. Times are aware UTC, sizes are bytes, durations are seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from dispinmap.secret import Secret

V5_SUFFIX: Final = "-v5"
"""Appended to the old format's path for the new one: 0.5 must never write to a path 0.3 has written to."""


class Format(StrEnum):
    """How the files of a replica are laid out; each version of Litestream writes one format."""

    V0_3 = "0.3"
    """`generations/<16 hex digits>/snapshots` and `wal`, LZ4: Litestream 0.3.x."""
    V0_5 = "0.5"
    """`ltx/<level>/<first>-<last>.ltx` (on S3 `<level as four digits>/...`): Litestream 0.5.x."""


class StorageKind(StrEnum):
    """The kinds of storage for replicas."""

    GCS = "gcs"
    S3 = "s3"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Replica:
    """The address that a database is replicated to.

    `path` is the key prefix in the bucket without slashes at its ends ("db"), or an absolute folder for `FILE`.
    """

    kind: StorageKind
    path: str
    bucket: str | None = None
    endpoint: str | None = None
    """URL of an S3-compatible server; None means Amazon."""
    region: str | None = None
    force_path_style: bool = False
    access_key_id: str | None = None
    secret_access_key: Secret | None = None
    """None means the credentials from the environment."""

    def __str__(self) -> str:
        """The address for people, without credentials."""
        return f"file://{self.path}" if self.kind is StorageKind.FILE else f"{self.kind}://{self.bucket}/{self.path}"

    @property
    def lease_path(self) -> str:
        """The key (or file) of its lease: beside the replica, and the same for both formats."""
        path = self.path
        while path.endswith(V5_SUFFIX):
            path = path.removesuffix(V5_SUFFIX)
        return f"{path}.lease"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A checked Litestream configuration for one database and one replica.

    `document` is the content of the configuration file, with variables expanded.
    """

    format: Format
    database: Path
    replica: Replica
    document: Mapping[str, object] = field(repr=False)
    source: str = "the settings"
    """Where it comes from, for people: a file's name or a setting."""


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """A state that can be restored: a snapshot, or the state after a stored file of changes."""

    generation: str | None
    """With 0.3 sixteen hexadecimal digits; None with 0.5, which has no generations."""
    position: str
    """With 0.3 the WAL index in hexadecimal, for changes also the offset in it; with 0.5 the last transaction id."""
    kind: str
    """"snapshot" or "changes"."""
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The row that the bot writes at intervals, so that we can tell how old a copy is.

    `holder` is the run of the bot that wrote it, `previous_holder` the run it took over from.
    """

    beat_at: datetime
    holder: str
    previous_holder: str | None


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """The content of the lease.

    `writer` is the holder whose heartbeat is in the newest database. It differs from `holder` until a new holder has
    written to the database. `heartbeat_at` is the newest heartbeat known to be in the replica.
    """

    holder: Annotated[str, Field(min_length=1)]
    host: str
    renewed_at: AwareDatetime
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    released: bool
    writer: str | None = None
    heartbeat_at: AwareDatetime | None = None
    writer_renewed_at: AwareDatetime | None = None
    """When the writer last renewed the lease, if it is no longer the holder."""

    @property
    def written_until(self) -> datetime:
        """When the writer last held the lease.

        `renewed_at` can be much later: a start that fails before it writes anything also takes and renews the lease.
        """
        return self.renewed_at if self.holder == self.writer else self.writer_renewed_at or self.renewed_at
