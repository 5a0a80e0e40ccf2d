"""Run the commands of an installed Litestream of any version."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from dispinmap.backup.errors import BackupError, NoBackup, RestoreFailed
from dispinmap.backup.litestream import child
from dispinmap.backup.litestream.dialect import Dialect, parse
from dispinmap.backup.litestream.documents import run_time_file
from dispinmap.backup.litestream.failures import failure, timed_out
from dispinmap.backup.litestream.litestream import Replication
from dispinmap.backup.litestream.process import RunningLitestream
from dispinmap.backup.models import Configuration, RestorePoint
from dispinmap.clock import Clock

STOP_SECONDS: Final = 10.0


class InstalledLitestream:
    """See `Litestream`."""

    def __init__(self, path: Path, version: str, dialect: Dialect, clock: Clock) -> None:
        self.path = path
        self.version = version
        self.format = dialect.format
        self.allows_checkpoints = dialect.allows_checkpoints
        self._dialect = dialect
        self._clock = clock

    async def restore(
        self, configuration: Configuration, target: Path, *, at: datetime | None = None, seconds: float = 120.0
    ) -> None:
        """See `Litestream.restore`."""
        partial = _partial(target)
        # Never with -if-replica-exists: then Litestream would report success if it does not see the backup.
        arguments = ["-o", str(partial), *(("-timestamp", at.isoformat()) if at else ())]
        _remove(partial)
        try:
            try:
                await self._ask(configuration, "restore", arguments, seconds)
            except NoBackup:
                further = await self._further_arguments(configuration, at, seconds)
                if not further:
                    raise
                await self._ask(configuration, "restore", ["-o", str(partial), *further], seconds)
            partial.rename(target)
        finally:
            _remove(partial)

    async def _further_arguments(self, configuration: Configuration, at: datetime | None, seconds: float) -> list[str]:
        reader = self._dialect.reader
        if reader is None or at is None:
            return []
        return reader.further_arguments(await self.points(configuration, seconds=seconds), at)

    async def points(self, configuration: Configuration, *, seconds: float = 60.0) -> list[RestorePoint]:
        """See `Litestream.points`."""
        command, *arguments = self._dialect.list_command
        answer = await self._ask(configuration, command, arguments, seconds)
        return sorted(self._dialect.points(answer), key=lambda point: (point.created_at, point.position), reverse=True)

    def replicate(self, configuration: Configuration) -> Replication:
        """See `Litestream.replicate`."""
        return RunningLitestream(self.path, self._dialect, configuration, self._clock)

    async def replicate_once(self, configuration: Configuration, *, seconds: float = 120.0) -> None:
        """See `Litestream.replicate_once`."""
        replication = self.replicate(configuration)
        running = asyncio.create_task(replication.run())
        synced = asyncio.create_task(replication.synced(seconds))
        try:
            await asyncio.wait({running, synced}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
            if not (synced.result() and await replication.stop(STOP_SECONDS)):
                why = replication.problem or "check that the storage answers, and try again."
                raise BackupError(f"{configuration.replica} does not hold all of {configuration.database} yet: {why}")
        finally:
            for task in (running, synced):
                task.cancel()
            await asyncio.gather(running, synced, return_exceptions=True)

    async def _ask(self, configuration: Configuration, command: str, arguments: Sequence[str], seconds: float) -> str:
        """Run a command on the replica; returns its standard output."""
        with run_time_file(configuration.document, self._dialect.document) as file:
            whole = (command, "-config", str(file), "-no-expand-env", *arguments, str(configuration.database))
            try:
                output = await child.run(self.path, whole, self._dialect.environment(), seconds=seconds)
            except TimeoutError:
                raise timed_out(configuration, seconds) from None
        # Some commands exit with 0 even if they could not read the storage.
        if output.code != 0 or any(parse(line).level == "ERROR" for line in output.text.splitlines()):
            raise failure(configuration, output.text)
        return output.answer


def _partial(target: Path) -> Path:
    if target.exists():
        raise RestoreFailed(f"{target} already exists: name another file, or move it away.")
    if not target.parent.is_dir():
        raise RestoreFailed(f"{target.parent} is not a folder: create it first.")
    return target.with_name(f"{target.name}.restoring")


def _remove(partial: Path) -> None:
    """Remove what a failed restore leaves behind: the file, and others whose names begin with its name."""
    for left in list(partial.parent.iterdir()):
        if left.name.startswith(partial.name):
            left.unlink(missing_ok=True)
