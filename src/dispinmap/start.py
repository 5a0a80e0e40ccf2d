"""`dispinmap start`: take the lease, restore the database if needed, run the bot with its backup, and stop cleanly."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy.exc import DBAPIError

from dispinmap.alerts.alarm import LOOK_SECONDS, Alarm
from dispinmap.alerts.alerts import Alerts
from dispinmap.backup.errors import LeaseExpired, StorageUnreachable
from dispinmap.backup.freshness import is_newest
from dispinmap.backup.inspection import inspect_file
from dispinmap.backup.lease.lease import Lease, sign
from dispinmap.backup.litestream.litestream import Replication
from dispinmap.backup.models import LeaseRecord
from dispinmap.backup.place import BackupPlace, open_place
from dispinmap.backup.restore import reason, require_known, restore_newest, set_aside
from dispinmap.backup.service import Backup
from dispinmap.backup.threads import in_thread
from dispinmap.backup.versions import refuse_mixed_formats
from dispinmap.clock import Clock
from dispinmap.database.child import bring_to_head
from dispinmap.database.engine import Database, uninterrupted
from dispinmap.database.errors import DatabaseError
from dispinmap.database.lock import in_use
from dispinmap.health import HealthReport, Part, Starting
from dispinmap.http import open_session
from dispinmap.settings import Settings
from dispinmap.web.server import ANY_HOST, serving

if TYPE_CHECKING:
    from dispinmap.app import Application

STOP_SECONDS: Final = 5.5
"""For leaving Discord, the last sync and the end of Litestream. 10 seconds after SIGTERM the platform kills us."""
BEAT_SECONDS: Final = 1.5
"""For the last heartbeat, at most."""
LITESTREAM_SECONDS: Final = 1.5
"""The part of `STOP_SECONDS` reserved for the end of Litestream."""
RELEASE_SECONDS: Final = 1.0
"""For giving back the lease, after `STOP_SECONDS`."""
SIGN_PAUSE_SECONDS: Final = 1.0
"""Google allows one write per second to an object: https://cloud.google.com/storage/quotas#objects"""
WAITING: Final = (
    "The bot is waiting for the lease: another bot holds it, or the storage does not answer. The log says which."
)
"""Public, so it leaves out the backup's address and the holder's machine, which the log names."""
EXPIRED: Final = (
    "The lease could not be renewed in time, because the backup's storage does not answer or the machine stood still: "
    "the bot posts nothing until it has renewed the lease."
)

log = structlog.get_logger(__name__)


async def start(settings: Settings, clock: Clock, *, allow_empty: bool = False, web_host: str = ANY_HOST) -> None:
    """Wait for the lease, restore the database if needed, and run the bot until it is cancelled or fails for good.

    Serves the web pages from the beginning. Raises DisPinMapError with what the operator has to do; nothing was lost or
    overwritten then. With `allow_empty` we start over if the lease names a writer but no backup is stored.
    """
    launch = _Launch(settings, clock, await open_place(settings, clock), allow_empty=allow_empty)
    async with serving(launch.report, web_host, settings.port):
        with in_use(launch.file):
            await launch.run()


class _Launch:
    """One start, from the lease to its release."""

    def __init__(self, settings: Settings, clock: Clock, place: BackupPlace, *, allow_empty: bool) -> None:
        self._settings = settings
        self._clock = clock
        self._place = place
        self._preparation = Preparation(settings, clock, place, allow_empty=allow_empty, show=self._show)
        self._application: Application | None = None
        self._phase = "The bot is starting."
        self._stop_by: float | None = None
        # This takes about a second, so do it while Litestream restores.
        self._importing = asyncio.ensure_future(in_thread(import_module, "dispinmap.app"))
        self.file = place.database

    async def report(self) -> HealthReport | Starting:
        if self._application is not None:
            return await self._application.report()
        return Starting(self._phase if self._place.lease.waiting_for is None else WAITING)

    def _show(self, phase: str) -> None:
        self._phase = phase

    async def run(self) -> None:
        """Take the lease and serve. If the lease expires and no one else takes it, renew it and serve again."""
        lease = self._place.lease
        try:
            previous = await lease.acquire()
            log.info("lease_acquired", holder=lease.holder)
            while await self._expires(previous):
                log.error("lease_expired", cure="check that the storage can be reached")
                previous = await self._regain()
                log.info("lease_regained")
        finally:
            try:
                await asyncio.wait_for(lease.release(), RELEASE_SECONDS)
            except TimeoutError:
                log.warning("lease_not_released", cure="the next bot has to wait until it expires")

    async def _regain(self) -> LeaseRecord:
        """Wait until the lease is renewed. We alert the operator here, because the bot and its alerts have ended."""
        self._show(EXPIRED)

        async def parts() -> Mapping[str, Part]:
            return {"lease": Part(regaining.done(), EXPIRED)}

        async with open_session() as session:
            alarm = Alarm(parts, Alerts(session, self._settings.operator_webhook_url), self._clock)
            regaining = asyncio.create_task(self._place.lease.regain(), name="lease")
            try:
                while not regaining.done():
                    await alarm.step()
                    await asyncio.wait({regaining}, timeout=LOOK_SECONDS)
                previous = regaining.result()
                await alarm.step()
            finally:
                await _end(regaining)
        return previous

    async def _expires(self, previous: LeaseRecord | None) -> bool:
        """Serve while we keep the lease; returns True if it expired. Otherwise raises the error that ended the bot."""
        keeping = asyncio.create_task(self._place.lease.keep(), name="lease")
        bot = asyncio.create_task(self._serve(previous, keeping), name="bot")
        try:
            await asyncio.wait({keeping, bot}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(bot)
            await _end(keeping)
        try:
            _raise(keeping)
        except LeaseExpired:
            return True
        _raise(bot)
        return False

    async def _serve(self, previous: LeaseRecord | None, keeping: asyncio.Task[None]) -> None:
        await self._preparation.run(previous)
        self._show("The bot is connecting.")
        database = Database(self._settings.database_url, checkpoints=self._place.litestream.allows_checkpoints)
        replication = self._place.litestream.replicate(self._place.configuration)
        backup = Backup(
            self._place,
            replication,
            database,
            self._clock,
            drill_every=timedelta(hours=self._settings.backup_drill_hours),
            restored_in_seconds=self._preparation.restored_in_seconds,
        )
        try:
            beat = await _first_beat(self.file, backup, previous)
            await _sign(self._place.lease, self._clock, previous, beat)
            replicating = asyncio.create_task(replication.run(), name="litestream")
            # Without the lease we must not write to the replica for a moment longer.
            keeping.add_done_callback(lambda _: replicating.cancel())
            try:
                await self._run_bot(database, backup, replicating)
            finally:
                self._show("The bot is stopping.")
                shutdown = _Shutdown(self._place.lease, backup, database, replication, replicating)
                await shutdown.run(self._stop_by or _time() + STOP_SECONDS, keeping)
        finally:
            await database.close()

    async def _run_bot(self, database: Database, backup: Backup, replicating: asyncio.Task[None]) -> None:
        """Run the bot until it fails, or until replication ends."""
        # Shielded: if we are cancelled because the lease expired, the next `_serve` awaits it again.
        await asyncio.shield(self._importing)
        from dispinmap.app import Application  # noqa: PLC0415 -- slow, so it is imported during the restore

        async with open_session() as session:
            self._application = Application(self._settings, self._clock, database, session, backup)
            bot = asyncio.create_task(self._application.run(), name="application")
            try:
                await asyncio.wait({bot, replicating}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._stop_by = _time() + STOP_SECONDS
                log.info("bot_stopping")
                await _end(bot)
                self._application = None
        _raise(replicating)
        _raise(bot)


class Preparation:
    """Once we hold the lease: puts the newest database in place and upgrades its schema.

    `show` is called with the sentence for the web pages.
    """

    def __init__(
        self, settings: Settings, clock: Clock, place: BackupPlace, *, allow_empty: bool, show: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._place = place
        self._file = place.database
        self._allow_empty = allow_empty
        self._show = show
        self.restored_in_seconds: float | None = None

    async def run(self, previous: LeaseRecord | None) -> None:
        """Make sure that the newest database is in place, with the newest schema.

        The order matters: refuse a replica in the wrong format before anything is restored from it; refuse a database
        that belongs elsewhere before it is set aside as old; restore only if no database is left.
        """
        await refuse_mixed_formats(self._place.configuration, self._place.store)
        if self._file.is_file():
            local = await asyncio.to_thread(partial(inspect_file, self._file, integrity=False))
            await require_known(self._place, local, previous)
            if not is_newest(local.heartbeat, previous):
                kept = set_aside(self._file, self._clock)
                log.warning(
                    "old_database_set_aside", kept=kept.name, reason="another bot wrote since, or the disk was set back"
                )
        restored = None
        if not self._file.is_file():
            self._show("The database is being restored.")
            restored = await restore_newest(
                self._place,
                previous=previous,
                allow_empty=self._allow_empty,
                clock=self._clock,
                seconds=self._settings.restore_timeout_seconds,
            )
            self.restored_in_seconds = restored.seconds if restored else None
        self._show("The database is being brought up to date.")
        await bring_to_head(self._settings.database_url, checked=restored is not None)


async def _first_beat(database: Path, backup: Backup, previous: LeaseRecord | None) -> datetime:
    try:
        return await backup.heartbeat_writer.beat(previous.writer if previous else None)
    except DBAPIError as error:
        raise DatabaseError(
            f"{database} cannot be written ({reason(error)}): check that its disk has room and is "
            "writable, then start again."
        ) from error


async def _sign(lease: Lease, clock: Clock, previous: LeaseRecord | None, beat: datetime) -> None:
    """Write our name to the lease, before Litestream uploads anything of ours.

    If we crashed after an upload but before this, the lease would still name the previous writer, and a start on
    its old disk would take that old database for the newest.
    """
    while True:
        try:
            return await sign(lease, previous, beat)
        except StorageUnreachable as error:
            # If the outage lasts, the lease expires, and `_expires` cancels us.
            log.warning("lease_not_updated", error=str(error))
            await clock.sleep(SIGN_PAUSE_SECONDS)


class _Shutdown:
    """The last seconds of the replication."""

    def __init__(
        self,
        lease: Lease,
        backup: Backup,
        database: Database,
        replication: Replication,
        replicating: asyncio.Task[None],
    ) -> None:
        self._lease = lease
        self._backup = backup
        self._database = database
        self._replication = replication
        self._replicating = replicating

    @uninterrupted
    async def run(self, until: float, keeping: asyncio.Task[None]) -> None:
        """Upload everything by `until` on the event loop's clock, if we still hold the lease, and stop Litestream.

        First the heartbeat, then close the database, so that nothing is committed after the sync.
        """
        try:
            if keeping.done() or self._replicating.done():
                return
            beat = await _last_beat(self._backup, min(BEAT_SECONDS, until - LITESTREAM_SECONDS - _time()))
            await self._database.close()
            if not await self._replication.synced(_left(until, LITESTREAM_SECONDS)):
                log.error("final_sync_failed", cure="keep this disk: only it has what was written last")
            elif beat is not None:
                log.info("final_sync_done")
                # `release` writes it: Google allows only one write per second.
                self._lease.note(beat)
            await self._replication.stop(_left(until))
        finally:
            await _end(self._replicating)


async def _last_beat(backup: Backup, seconds: float) -> datetime | None:
    """Write the heartbeat that tells the next start that nothing is missing; None if the database cannot be written."""
    if seconds <= 0:
        # The bot's loops already waited too long for a locked database. Waiting again would be in a thread that Python
        # waits for, which would delay our exit.
        log.error("last_heartbeat_failed", error="TimeoutError")
        return None
    beat = asyncio.create_task(backup.heartbeat_writer.beat(), name="last-heartbeat")
    await asyncio.wait({beat}, timeout=seconds)
    if beat.done() and beat.exception() is None:
        return beat.result()
    beat.cancel()
    log.error("last_heartbeat_failed", error=type(beat.exception()).__name__ if beat.done() else "TimeoutError")
    return None


def _time() -> float:
    return asyncio.get_running_loop().time()


def _left(until: float, kept: float = 0.0) -> float:
    return max(until - kept - _time(), 0.1)


@uninterrupted
async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel the task and wait until it has cleaned up; `_raise` handles its outcome."""
    task.cancel()
    await asyncio.wait({task})


def _raise(task: asyncio.Task[None]) -> None:
    """Raise the task's error, if it ended with one."""
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        raise error
