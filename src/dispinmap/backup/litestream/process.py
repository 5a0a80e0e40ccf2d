"""A running Litestream: keep it running, read its log, check its progress, and stop it."""

import asyncio
import logging
from asyncio.subprocess import Process
from datetime import datetime
from pathlib import Path
from typing import Final, NoReturn

import structlog

from dispinmap.backoff import pause_after
from dispinmap.backup.errors import BackupError
from dispinmap.backup.litestream import child
from dispinmap.backup.litestream.dialect import Dialect, Line, parse
from dispinmap.backup.litestream.documents import run_time_file
from dispinmap.backup.litestream.failures import masked
from dispinmap.backup.models import Configuration
from dispinmap.clock import Clock

CHECK_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""If Litestream ran this long, the next restart pause is the shortest again."""
BEHIND_SECONDS: Final = 10.0
"""If the replica has not caught up for this long, we report a problem."""

EVENT: Final = "litestream_said"

log = structlog.get_logger(__name__)


class RunningLitestream:
    """`litestream replicate` for one database. See `Replication`."""

    def __init__(self, binary: Path, dialect: Dialect, configuration: Configuration, clock: Clock) -> None:
        self._binary = binary
        self._dialect = dialect
        self._configuration = configuration
        self._clock = clock
        self._progress = dialect.progress(configuration, clock)
        self._process: Process | None = None
        self._ended = asyncio.Event()
        self._stopping = asyncio.Event()
        self._last_error: str | None = None
        self.behind_seconds = BEHIND_SECONDS
        self.problem: str | None = None
        self.restarts = 0
        self.caught_up_at: datetime | None = None

    async def run(self) -> NoReturn:
        """See `Replication.run`."""
        identity = self._identity()
        with run_time_file(self._configuration.document, self._dialect.document) as file:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._keep_running(file, identity), name="litestream")
                    group.create_task(self._guard(identity), name="litestream-guard")
                    group.create_task(self._check_progress(), name="litestream-progress")
            except* BackupError as errors:
                raise errors.exceptions[0] from None
        raise AssertionError("its tasks never end")

    async def synced(self, seconds: float) -> bool:
        """See `Replication.synced`."""
        return await self._caught_up(seconds, hurry=True)

    async def stop(self, seconds: float) -> bool:
        """See `Replication.stop`."""
        self._stopping.set()
        process = self._process
        if process is None:
            return False
        self._last_error = None
        process.terminate()
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            log.warning("litestream_killed", seconds=seconds)
            await child.kill(process)
            return False
        # 0.5 exits with 0 even if its last sync failed; then it has logged an error.
        return process.returncode == 0 and self._last_error is None

    async def _keep_running(self, file: Path, identity: tuple[int, int]) -> NoReturn:
        failures = 0
        while not self._stopping.is_set():
            self._require(identity)
            started = self._clock.now()
            end = await self._run_once(file)
            if self._stopping.is_set():
                break
            failures = 1 if (self._clock.now() - started).total_seconds() > STEADY_SECONDS else failures + 1
            self.restarts += 1
            reason = f": {self._last_error}" if self._last_error else ""
            self._failing(f"Litestream {end}{reason}; it is started again.")
            await self._clock.sleep(pause_after(failures, 1.0, LONGEST_PAUSE_SECONDS))
        while True:
            await asyncio.Event().wait()

    async def _run_once(self, file: Path) -> str:
        """Run Litestream until it ends or we are cancelled; returns how it ended."""
        command = ("replicate", "-config", str(file), "-no-expand-env")
        self._last_error = None
        self._progress.began(file.parent)
        try:
            process = await child.start(self._binary, command, self._dialect.environment(), merged=True)
        except OSError as error:
            return f"cannot be started ({error.strerror})"
        self._ended.clear()
        self._process = process
        log.info("litestream_started", pid=process.pid)
        try:
            await self._listen(process)
            code = await process.wait()
        finally:
            await child.kill(process)
            self._process = None
            self._ended.set()
        return f"ended with code {code}"

    async def _listen(self, process: Process) -> None:
        async for raw in child.output(process):
            line = parse(masked(self._configuration, raw.decode(errors="replace")))
            self._progress.heard(line)
            self._tell(line)

    def _tell(self, line: Line) -> None:
        """Log a line of Litestream's log, on our levels.

        Its info lines are about single uploads, so they are only debug lines for us. It repeats a lasting error with
        each upload, so we log each error once.
        """
        if line.level == "ERROR":
            error = " ".join(str(line.fields.get("error", line.said)).split())
            log.log(logging.DEBUG if error == self._last_error else logging.ERROR, EVENT, said=line.said, error=error)
            self._last_error = error
        elif line.level != "DEBUG":
            warns = line.level == "WARN" and line.said not in self._dialect.routine
            level = logging.WARNING if warns else logging.DEBUG
            log.log(level, EVENT, said=line.said, error=line.fields.get("error"))

    async def _check_progress(self) -> NoReturn:
        while True:
            began = self._clock.now()
            caught_up = await self._caught_up(self.behind_seconds, hurry=False)
            if self._stopping.is_set():
                pass  # `stop` reports errors of the last sync
            elif caught_up:
                self.caught_up_at = began
                self._well()
            elif self._process is not None:
                reason = self._last_error or "the storage does not answer, or is slow"
                self._failing(f"The replica has been behind for more than {self.behind_seconds:g} s: {reason}.")
            await self._clock.sleep(CHECK_SECONDS)

    async def _caught_up(self, seconds: float, *, hurry: bool) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._progress.caught_up(hurry=hurry)
        except TimeoutError:
            return False
        return True

    async def _guard(self, identity: tuple[int, int]) -> NoReturn:
        """Raise BackupError if another file replaced the database: replicating both files would ruin the replica.

        Litestream keeps the original file open, so its inode number cannot be reused.
        """
        while True:
            if not self._stopping.is_set():
                self._require(identity)
            await self._clock.sleep(CHECK_SECONDS)

    def _require(self, identity: tuple[int, int]) -> None:
        if self._identity() != identity:
            raise BackupError(
                f"Another file was put in the place of {self._configuration.database} while it was replicated, so "
                "replication ended: stop the bot, make sure that the right file is there, and start again."
            )

    def _identity(self) -> tuple[int, int]:
        """Device and inode number of the database's file."""
        try:
            status = self._configuration.database.stat()
        except OSError as error:
            raise BackupError(
                f"The database {self._configuration.database} cannot be replicated ({error.strerror}): stop the bot, "
                "make sure that the file is there, and start again."
            ) from error
        return status.st_dev, status.st_ino

    def _failing(self, problem: str) -> None:
        if self.problem is None:
            log.error("replication_failing", problem=problem)
        self.problem = problem

    def _well(self) -> None:
        if self.problem is not None:
            log.info("replication_recovered", restarts=self.restarts)
        self.problem = self._last_error = None
