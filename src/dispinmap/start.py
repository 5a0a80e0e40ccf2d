"""`dispinmap start`: from an empty disk to a running bot with a backup, and back to a clean stop."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy.exc import DBAPIError

from dispinmap.alerts.alarm import LOOK_SECONDS, Alarm
from dispinmap.alerts.alerts import Alerts
from dispinmap.backup.checks import look_at
from dispinmap.backup.configuration.formats import refuse_mixed_formats
from dispinmap.backup.continuity import is_newest
from dispinmap.backup.errors import LeaseExpired, StorageUnreachable
from dispinmap.backup.litestream.litestream import Replication
from dispinmap.backup.models import LeaseRecord
from dispinmap.backup.opening import open_place
from dispinmap.backup.place import Place
from dispinmap.backup.restore import Restored, bring_back, reason, require_known, set_aside
from dispinmap.backup.service import Backup
from dispinmap.backup.threads import in_thread
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
"""For the goodbye to Discord and the last sync; 10 seconds after SIGTERM the platform kills, busy or not."""
BEAT_SECONDS: Final = 1.5
LITESTREAM_SECONDS: Final = 1.5
"""Of the stop's, what is kept for Litestream's own end."""
RELEASE_SECONDS: Final = 1.0
SIGN_PAUSE_SECONDS: Final = 1.0
"""Google takes one write of an object in a second: https://cloud.google.com/storage/quotas#objects"""
WAITING: Final = (
    "The bot waits for the lease: another one holds it, or the storage does not answer. The log says which."
)
"""The lease's own words name the backup's address and the holder's machine, and anybody may ask."""
EXPIRED: Final = (
    "The lease could not be renewed in time, because the backup's storage does not answer or the machine stood still: "
    "the bot posts nothing until it can be."
)

log = structlog.get_logger(__name__)


async def start(settings: Settings, clock: Clock, *, allow_empty: bool = False, web_host: str = ANY_HOST) -> None:
    """Wait for the lease, restore the database if there is none, and run the bot until cancelled or failed for good.

    The web pages are served from the first moment on. Raises DisPinMapError with what the operator has to do;
    nothing was lost or overwritten then. With `allow_empty` a backup that cannot be found is no reason to stop.
    """
    launch = _Launch(settings, clock, await open_place(settings, clock), allow_empty=allow_empty)
    async with serving(launch.report, web_host, settings.port):
        with in_use(launch.file):
            await launch.run()


class _Launch:
    """One start, from the lease to its release."""

    def __init__(self, settings: Settings, clock: Clock, place: Place, *, allow_empty: bool) -> None:
        self._settings = settings
        self._clock = clock
        self._place = place
        self._allow_empty = allow_empty
        self._application: Application | None = None
        self._phase = "The bot is starting."
        self._restored: Restored | None = None
        self._stop_by: float | None = None
        # A second's work, which a restore by Litestream leaves time for.
        self._importing = asyncio.ensure_future(in_thread(import_module, "dispinmap.app"))
        self.file = place.configuration.database

    async def report(self) -> HealthReport | Starting:
        if self._application is not None:
            return await self._application.report()
        return Starting(self._phase if self._place.lease.waiting_for is None else WAITING)

    async def run(self) -> None:
        """Hold the lease and serve, again and again if the lease expires without anybody taking it."""
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
        """Wait until the lease is renewed, and tell the operator meanwhile: the bot's own alerts ended with the bot."""
        self._phase = EXPIRED

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
        """Serve while the lease is kept; returns that it expired. Ends otherwise by the error that ended the bot."""
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
        await self._prepare(previous)
        database = Database(self._settings.database_url, checkpoints=self._place.litestream.bears_checkpoints)
        replication = self._place.litestream.replicate(self._place.configuration)
        backup = Backup(
            self._place,
            replication,
            database,
            self._clock,
            drill_every=timedelta(hours=self._settings.backup_drill_hours),
            restored_in_seconds=self._restored.seconds if self._restored else None,
        )
        try:
            await self._sign(previous, await self._first_beat(backup, previous))
            replicating = asyncio.create_task(replication.run(), name="litestream")
            # What is not ours any more must not be written to for a moment longer.
            keeping.add_done_callback(lambda _: replicating.cancel())
            try:
                await self._run_bot(database, backup, replicating)
            finally:
                await self._stop(backup, database, replication, replicating, keeping)
        finally:
            await database.close()

    async def _prepare(self, previous: LeaseRecord | None) -> None:
        """See to it that the newest database is there, at head."""
        configuration, store = self._place.configuration, self._place.store
        await refuse_mixed_formats(configuration, store)
        if self.file.is_file():
            local = await asyncio.to_thread(partial(look_at, self.file, integrity=False))
            await require_known(configuration, store, local, previous)
            if not is_newest(local.heartbeat, previous):
                kept = set_aside(self.file, self._clock)
                log.warning(
                    "old_database_set_aside", kept=kept.name, reason="another bot wrote since, or the disk was set back"
                )
        restored = None
        if not self.file.is_file():
            self._phase = "The database is being restored."
            restored = self._restored = await bring_back(
                configuration,
                self._place.litestream,
                store,
                previous=previous,
                allow_empty=self._allow_empty,
                clock=self._clock,
                seconds=self._settings.restore_timeout_seconds,
            )
        self._phase = "The database is being brought up to date."
        await bring_to_head(self._settings.database_url, checked=restored is not None)
        self._phase = "The bot is connecting."

    async def _first_beat(self, backup: Backup, previous: LeaseRecord | None) -> datetime:
        try:
            return await backup.heart.beat(previous.writer if previous else None)
        except DBAPIError as error:
            raise DatabaseError(
                f"{self.file} cannot be written ({reason(error)}): check that its disk has room and may be "
                "written, then start again."
            ) from error

    async def _sign(self, previous: LeaseRecord | None, beat: datetime) -> None:
        """Our name into the lease, before anything of ours is in the replica.

        And until a beat of ours is, no copy need be newer than that, if our clock is behind the last holder's.
        """
        lease, known = self._place.lease, previous.heartbeat_at if previous else None
        while True:
            try:
                return await lease.record(writer=lease.holder, heartbeat_at=min(known, beat) if known else None)
            except StorageUnreachable as error:
                # Where this lasts the lease expires, which ends it.
                log.warning("lease_not_updated", error=str(error))
                await self._clock.sleep(SIGN_PAUSE_SECONDS)

    async def _run_bot(self, database: Database, backup: Backup, replicating: asyncio.Task[None]) -> None:
        """Until the bot fails, or Litestream must not go on."""
        # Where this is cancelled because the lease expired, the next one needs it.
        await asyncio.shield(self._importing)
        from dispinmap.app import Application  # noqa: PLC0415 -- not before, so that the restore need not wait for it

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

    @uninterrupted
    async def _stop(
        self,
        backup: Backup,
        database: Database,
        replication: Replication,
        replicating: asyncio.Task[None],
        keeping: asyncio.Task[None],
    ) -> None:
        """Everything into the replica, if it still is ours, and Litestream down."""
        self._phase = "The bot is stopping."
        until = self._stop_by or _time() + STOP_SECONDS
        try:
            if keeping.done() or replicating.done():
                return
            beat = await _last_beat(backup, min(BEAT_SECONDS, until - LITESTREAM_SECONDS - _time()))
            await database.close()
            if not await replication.synced(_left(until, LITESTREAM_SECONDS)):
                log.error("final_sync_failed", cure="keep this disk: what was written last is on it alone")
            elif beat is not None:
                log.info("final_sync_done")
                # The release writes it: object storage does not take two writes in a row.
                self._place.lease.note(beat)
            await replication.stop(_left(until))
        finally:
            await _end(replicating)


async def _last_beat(backup: Backup, seconds: float) -> datetime | None:
    """By which the next start knows that nothing is missing; None where the database takes no more writes."""
    if seconds <= 0:
        # The loops had to wait for a locked database. Another wait would be in a thread that the process waits for.
        log.error("last_heartbeat_failed", error="TimeoutError")
        return None
    beat = asyncio.create_task(backup.heart.beat(), name="last-heartbeat")
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
    """Cancel it and wait until it has cleaned up; how it ended is looked at elsewhere."""
    task.cancel()
    await asyncio.wait({task})


def _raise(task: asyncio.Task[None]) -> None:
    """Raise what ended the task, if that was an error."""
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        raise error
