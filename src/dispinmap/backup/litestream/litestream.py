"""The interface behind which both versions of Litestream are the same."""

from datetime import datetime
from pathlib import Path
from typing import NoReturn, Protocol

from dispinmap.backup.models import Configuration, Format, RestorePoint


class Replication(Protocol):
    """A running `litestream replicate`, which dies with this process however that ends."""

    problem: str | None
    """Why nothing is replicated right now; None while all is well."""
    restarts: int
    """How often Litestream has had to be started again."""
    caught_up_at: datetime | None
    """When the replica last held everything that was committed by then."""

    async def run(self) -> NoReturn:
        """Keep Litestream running until cancelled: one that dies is logged and started again after a growing pause.

        Meanwhile look, every second or so, whether the replica has caught up. Cancelling kills Litestream at once.
        Raises BackupError where another file was put in the database's place: nothing more is replicated then.
        """
        ...

    async def synced(self, seconds: float) -> bool:
        """Wait until everything committed before this call is in the replica; False where that takes longer."""
        ...

    async def stop(self, seconds: float) -> bool:
        """Let Litestream finish and end, and kill it after `seconds`; whether it ended by itself without an error.

        Whoever stops has closed the database before and waited until it is `synced`. A 0.3 that still has a piece to
        upload may do so twice at once, and in a folder one of the two then fails although the piece is there.
        """
        ...


class Litestream(Protocol):
    """One installed binary."""

    path: Path
    version: str
    """Without a "v", such as "0.3.13"."""
    format: Format
    bears_checkpoints: bool
    """Whether SQLite may move the log into the file by itself, while this one replicates it."""

    async def restore(
        self, configuration: Configuration, target: Path, *, at: datetime | None = None, seconds: float = 120.0
    ) -> None:
        """Restore the newest state, or that of `at`, to the file `target`, which must not exist.

        Leaves nothing beside it, and nothing at all where it fails. Raises NoBackup where there is none (of that time),
        RestoreFailed where there is one that cannot be restored, StorageUnreachable after `seconds`, StorageRefused
        where Litestream may not read or the bucket is not there.

        NoBackup is Litestream's word and no proof: a missing folder gives it too, and 0.5 in GCS where 0.3 has written.
        And 0.3 leaves out, without a word, what follows a missing segment in the middle of its write-ahead log.
        """
        ...

    async def points(self, configuration: Configuration, *, seconds: float = 60.0) -> list[RestorePoint]:
        """What Litestream itself lists, newest first: with 0.3 the snapshots alone. Raises StorageError."""
        ...

    def replicate(self, configuration: Configuration) -> Replication:
        """Litestream for this database, not started yet."""
        ...

    async def replicate_once(self, configuration: Configuration, *, seconds: float = 120.0) -> None:
        """Replicate what is in the database now and end. Raises BackupError where that fails."""
        ...
