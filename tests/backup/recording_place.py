"""A BackupPlace whose parts record what is asked of them, in order, and fail if a test says so."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from dispinmap.backup.errors import StorageUnreachable
from dispinmap.backup.models import Configuration, Format, LeaseRecord, Replica, RestorePoint, StorageKind
from dispinmap.backup.place import BackupPlace
from dispinmap.backup.storage.store import Content, StoredObject

PATIENCE = 60


class Diary:
    """A record of what happened; the current value of `about` is added to each entry."""

    def __init__(self, about: Callable[[], str] = lambda: "") -> None:
        self.entries: list[str] = []
        self.about = about
        self._news = asyncio.Event()

    def note(self, entry: str) -> None:
        self.entries.append(f"{entry}{self.about()}")
        self._news.set()
        self._news = asyncio.Event()

    async def has(self, entry: str) -> None:
        """Wait until this is recorded."""
        async with asyncio.timeout(PATIENCE):
            while not any(each.startswith(entry) for each in self.entries):
                await self._news.wait()

    def before(self, first: str, then: str) -> bool:
        names = [entry.partition(",")[0] for entry in self.entries]
        return names.index(first) < names.index(then)


class RecordingLease:
    """A lease whose `acquire` returns `previous`; held until the test lets `end` fail, regained once `renewable`."""

    def __init__(self, diary: Diary, previous: LeaseRecord | None, holder: str = "us") -> None:
        self.holder = holder
        self.waiting_for: str | None = None
        self.previous = previous
        self.free = asyncio.Event()
        self.free.set()
        self.renewable = asyncio.Event()
        self.renewable.set()
        self.end: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()
        self.writer = previous.writer if previous else None
        self.heartbeat_at = previous.heartbeat_at if previous else None
        self.unanswered = 0
        self._diary = diary

    async def acquire(self) -> LeaseRecord | None:
        await self.free.wait()
        self._diary.note("lease acquired")
        return self.previous

    async def try_acquire(self) -> LeaseRecord | None:
        return await self.acquire()

    async def keep(self) -> NoReturn:
        await asyncio.shield(self.end)

    async def regain(self) -> LeaseRecord:
        await self.renewable.wait()
        self.end = asyncio.get_running_loop().create_future()
        self._diary.note("lease regained")
        return self._record()

    async def record(self, *, writer: str | None = None, heartbeat_at: datetime | None = None) -> None:
        if self.unanswered:
            self.unanswered -= 1
            self._diary.note("signature lost")
            raise StorageUnreachable("The storage did not answer.")
        self.writer, self.heartbeat_at = writer or self.writer, heartbeat_at or self.heartbeat_at
        self._diary.note("lease signed")

    def note(self, heartbeat_at: datetime) -> None:
        self.heartbeat_at = heartbeat_at
        self._diary.note("heartbeat noted")

    async def release(self) -> None:
        self._diary.note("lease released")

    def _record(self) -> LeaseRecord:
        now = datetime.fromisoformat("2026-03-01T12:00:00Z")
        return LeaseRecord(self.holder, "here", now, 60, False, self.writer, self.heartbeat_at)


class RecordingReplication:
    """Replication that is never behind, unless `synced` is made to wait."""

    def __init__(self, diary: Diary) -> None:
        self.problem: str | None = None
        self.restarts = 0
        self.caught_up_at: datetime | None = None
        self.reachable = asyncio.Event()
        self.reachable.set()
        self.syncing = asyncio.Event()
        self.up = asyncio.Event()
        self._stopped = False
        self._diary = diary

    async def run(self) -> NoReturn:
        self._stopped = False
        self._diary.note("litestream up")
        self.up.set()
        try:
            while True:
                await asyncio.Event().wait()
        finally:
            self.up.clear()
            if not self._stopped:
                self._diary.note("litestream killed")

    async def synced(self, seconds: float) -> bool:
        self.syncing.set()
        try:
            await asyncio.wait_for(self.reachable.wait(), seconds)
        except TimeoutError:
            self._diary.note("not synced")
            return False
        self._diary.note("synced")
        return True

    async def stop(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.reachable.wait(), seconds)
        except TimeoutError:
            return False
        self._stopped = True
        self._diary.note("litestream stopped")
        return True


class RecordingLitestream:
    """A Litestream with one replication, which the test controls, and nothing to restore."""

    path = Path("litestream")
    version = "0.3.13"
    format = Format.V0_3
    allows_checkpoints = True

    def __init__(self, diary: Diary) -> None:
        self.replication = RecordingReplication(diary)
        self.restoring = asyncio.Event()

    async def restore(
        self, configuration: Configuration, target: Path, *, at: datetime | None = None, seconds: float = 120.0
    ) -> None:
        self.restoring.set()
        await asyncio.sleep(seconds)
        raise NotImplementedError(configuration, target, at)

    async def points(self, configuration: Configuration, *, seconds: float = 60.0) -> list[RestorePoint]:
        raise NotImplementedError(configuration, seconds)

    def replicate(self, _configuration: Configuration) -> RecordingReplication:
        return self.replication

    async def replicate_once(self, configuration: Configuration, *, seconds: float = 120.0) -> None:
        raise NotImplementedError(configuration, seconds)


class ListedStore:
    """Storage that holds `objects`."""

    def __init__(self) -> None:
        self.objects: list[StoredObject] = []

    async def list(self, prefix: str) -> list[StoredObject]:
        return [each for each in self.objects if each.key.startswith(f"{prefix}/")]

    async def read(self, key: str) -> Content | None:
        raise NotImplementedError(key)

    async def write(self, key: str, data: bytes, *, replacing: str | None) -> str:
        raise NotImplementedError(key, data, replacing)

    async def download(self, stored: StoredObject, target: Path) -> None:
        raise NotImplementedError(stored, target)


class Recorded:
    """The parts, and the place that they make."""

    def __init__(self, database: Path, diary: Diary, previous: LeaseRecord | None, holder: str = "us") -> None:
        self.diary = diary
        self.lease = RecordingLease(diary, previous, holder)
        self.litestream = RecordingLitestream(diary)
        self.replication = self.litestream.replication
        self.store = ListedStore()
        configuration = Configuration(Format.V0_3, database, Replica(StorageKind.S3, "db", "bucket"), {})
        self.place = BackupPlace(configuration, self.litestream, self.store, self.lease)
