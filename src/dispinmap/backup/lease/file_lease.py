"""A lease for replicas in a folder: a locked file beside the folder. The kernel unlocks it when its holder dies."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, NoReturn, TypeVar, TypeVarTuple, Unpack

import structlog

from dispinmap.backup.errors import BackupError, LeaseExpired, LeaseLost, StorageError, StorageUnreachable
from dispinmap.backup.lease import rules
from dispinmap.backup.lease.locked_file import LockedFile
from dispinmap.backup.lease.record import decode, encode, renewed, taken
from dispinmap.backup.models import LeaseRecord
from dispinmap.backup.threads import in_thread
from dispinmap.clock import Clock

RETRY_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 1.0
"""How often the holder checks that others would lock the same file: it may have been deleted or replaced."""
RELEASE_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class FileLease:
    """The lease in the file `path`. It does not expire while its holder lives.

    `seconds` limits how long we wait for the disk (three quarters of it) and sets how often the record is renewed.
    """

    def __init__(self, path: Path, clock: Clock, *, seconds: float, holder: str) -> None:
        self.holder = holder
        self.waiting_for: str | None = None
        self._path = path
        self._clock = clock
        self._seconds = seconds
        self._file: LockedFile | None = None
        self._noted: datetime | None = None
        self._record = taken(None, holder, seconds, clock.now())

    async def acquire(self) -> LeaseRecord | None:
        try:
            while True:
                try:
                    return await self.try_acquire()
                except (LeaseLost, StorageUnreachable) as error:
                    reason = str(error)
                if self.waiting_for is None:
                    log.info("waiting_for_lease", reason=reason)
                self.waiting_for = reason
                await self._clock.sleep(RETRY_SECONDS)
        finally:
            self.waiting_for = None

    async def try_acquire(self) -> LeaseRecord | None:
        file = await self._on_disk(LockedFile.take, self._path)
        if file is None:
            raise LeaseLost(await self._on_disk(_held_sentence, self._path))
        try:
            data = await self._on_disk(file.read)
            before = decode(data, str(self._path)) if data.strip() else None
            record = taken(before, self.holder, self._seconds, self._clock.now())
            await self._on_disk(file.write, encode(record))
        except BaseException:
            await in_thread(file.close, seconds=RELEASE_SECONDS)
            raise
        self._file, self._record, self._noted = file, record, None
        return before

    async def keep(self) -> NoReturn:
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            try:
                await self._look_after()
            except StorageError as error:
                raise LeaseExpired(f"{self._path} cannot be checked or renewed. {error}") from error

    async def regain(self) -> LeaseRecord:
        while True:
            try:
                await self._in_place()
            except StorageError:
                await self._clock.sleep(LOOK_SECONDS)
            else:
                return self._record

    async def record(self, *, writer: str | None = None, heartbeat_at: datetime | None = None) -> None:
        """Raises LeaseLost, and StorageError if the record may or may not have been written."""
        if heartbeat_at is not None:
            self.note(heartbeat_at)
        await self._write(writer=writer)

    def note(self, heartbeat_at: datetime) -> None:
        self._noted = heartbeat_at

    async def release(self) -> None:
        """Takes `RELEASE_SECONDS` twice at most, even if the disk hangs."""
        if self._file is None:
            return
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._write(released=True)
        except (BackupError, TimeoutError) as error:
            # Unlocking the file below releases the lease anyway; only the record does not say so.
            log.warning("lease_not_updated", error=str(error))
        file, self._file = self._file, None
        with suppress(TimeoutError):
            await in_thread(file.close, seconds=RELEASE_SECONDS)

    async def _look_after(self) -> None:
        """Check that the file is still ours, and renew the record when that is due.

        The lock alone keeps the lease. The record is for people who look, and for the noted heartbeat.
        """
        # abs: if the clock was set back, renew now instead of when it has caught up again.
        age = abs((self._clock.now() - self._record.renewed_at).total_seconds())
        if age >= rules.renewal_interval(self._seconds):
            await self._write()
        else:
            await self._in_place()

    async def _write(self, *, writer: str | None = None, released: bool = False) -> None:
        file = await self._in_place()
        record = renewed(self._record, self._clock.now(), writer, self._noted, released=released)
        await self._on_disk(file.write, encode(record))
        self._record = record

    async def _in_place(self) -> LockedFile:
        if self._file is None:
            raise LeaseLost(f"{self._path} is not held by this bot.")
        if not await self._on_disk(self._file.is_in_place):
            raise LeaseLost(
                f"{self._path} was deleted or replaced, so another bot may use the replica: do not touch it while a "
                "bot runs, and start again."
            )
        return self._file

    async def _on_disk(self, function: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        limit = rules.trusted_for(self._seconds)
        try:
            return await in_thread(function, *args, seconds=limit)
        except TimeoutError:
            raise StorageUnreachable(f"The disk of {self._path} has not answered for {limit:g} seconds.") from None


def _held_sentence(path: Path) -> str:
    try:
        return rules.held_sentence(str(path), decode(path.read_bytes(), str(path)))
    except (OSError, BackupError):
        return f"{path} is locked by another bot on this machine: stop that bot."
