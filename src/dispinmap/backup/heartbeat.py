"""The heartbeat: a time the bot keeps writing to its own database, so that we can tell how old a copy is."""

from datetime import datetime, timedelta
from typing import Final, NoReturn

import structlog

from dispinmap.backup.errors import StorageError
from dispinmap.backup.lease.lease import Lease
from dispinmap.backup.litestream.litestream import Replication
from dispinmap.clock import Clock
from dispinmap.database.engine import Database, uninterrupted
from dispinmap.database.queries import heartbeat

EVERY: Final = timedelta(seconds=30)
"""The copy of an idle bot looks this old at most. Every heartbeat costs one small upload."""

log = structlog.get_logger(__name__)


class HeartbeatWriter:
    """Writes the heartbeat row, and tells the lease which heartbeat the replica is known to hold."""

    def __init__(self, database: Database, clock: Clock, replication: Replication, lease: Lease) -> None:
        self._database = database
        self._clock = clock
        self._replication = replication
        self._lease = lease
        self._last: datetime | None = None
        self._committed_at: datetime | None = None

    async def run(self) -> NoReturn:
        """Write heartbeats for ever."""
        while True:
            await self._clock.sleep(EVERY.total_seconds())
            self._confirm()
            await self.beat()

    @uninterrupted
    async def beat(self, after: str | None = None) -> datetime:
        """Write and commit one heartbeat; returns its time. The first one names the previous writer, `after`."""
        now = self._clock.now()
        if self._last is not None and now < self._last:
            # The clock was set back: copies made from now on would look older than the heartbeat in the lease.
            await self._take_back(now)
        async with self._database.write() as session:
            await heartbeat.beat(session, now, self._lease.holder, after)
        self._last, self._committed_at = now, self._clock.now()
        return now

    async def _take_back(self, now: datetime) -> None:
        """Lower the lease's heartbeat now, before the new one is written.

        If we waited for the next renewal and were killed before it, the next start would reject first this database and
        then its backup as too old.
        """
        self._lease.note(now)
        try:
            await self._lease.record()
        except StorageError as error:
            log.warning("lease_not_updated", error=str(error))

    def _confirm(self) -> None:
        caught_up = self._replication.caught_up_at
        if self._last and self._committed_at and caught_up and caught_up >= self._committed_at:
            self._lease.note(self._last)
