"""The interface of Litestream, the same for all versions."""

from datetime import datetime
from pathlib import Path
from typing import NoReturn, Protocol

from dispinmap.backup.models import Configuration, Format, RestorePoint


class Replication(Protocol):
    """A running `litestream replicate`. It dies with our process, however that ends."""

    problem: str | None
    """Why nothing is replicated right now; None if all is well."""
    restarts: int
    """How often Litestream had to be started again."""
    caught_up_at: datetime | None
    """The last time at which the replica held everything committed until then."""

    async def run(self) -> NoReturn:
        """Keep Litestream running until cancelled. If it dies, log that and start it again after a growing pause.

        Also check about once a second whether the replica has caught up. Cancelling kills Litestream at once. Raises
        BackupError, and ends replication, if another file replaced the database.
        """
        ...

    async def synced(self, seconds: float) -> bool:
        """Wait until everything committed before this call is in the replica; False if that takes over `seconds`."""
        ...

    async def stop(self, seconds: float) -> bool:
        """Let Litestream finish, and kill it after `seconds`; returns whether it ended by itself without an error.

        Close the database and wait for `synced` first. If Litestream still has something to upload when it is stopped,
        it may upload it twice at once; in a folder one of the two uploads can then fail, although the file is stored.
        """
        ...


class Litestream(Protocol):
    """One installed binary."""

    path: Path
    version: str
    """Without a "v", such as "0.5.17"."""
    format: Format
    allows_checkpoints: bool
    """Whether SQLite may checkpoint by itself (move its log into the file) while this version replicates."""

    async def restore(
        self, configuration: Configuration, target: Path, *, at: datetime | None = None, seconds: float = 120.0
    ) -> None:
        """Restore the newest state, or the state at `at`, to the file `target`, which must not exist.

        Leaves no other files, and on failure none at all. Raises NoBackup if Litestream finds none (from that time),
        RestoreFailed if `target` exists or there is a backup that cannot be restored, StorageUnreachable after
        `seconds`, and StorageRefused if the bucket does not exist or Litestream may not read it.

        NoBackup is no proof that there is none: Litestream also says so of a missing folder and of another version's
        data. And a restore that succeeds may leave something out; see `Dialect.missing_pieces`.
        """
        ...

    async def points(self, configuration: Configuration, *, seconds: float = 60.0) -> list[RestorePoint]:
        """What Litestream itself lists, newest first; some versions list only snapshots. Raises StorageError."""
        ...

    def replicate(self, configuration: Configuration) -> Replication:
        """Replication of this database, not started yet."""
        ...

    async def replicate_once(self, configuration: Configuration, *, seconds: float = 120.0) -> None:
        """Replicate the database as it is now, then stop. Raises BackupError on failure."""
        ...
