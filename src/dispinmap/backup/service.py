"""The backup while the bot runs: heartbeat, drill, and the state of both."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import NoReturn

from dispinmap.backup.drill import DrillLoop
from dispinmap.backup.heartbeat import HeartbeatWriter
from dispinmap.backup.litestream.litestream import Replication
from dispinmap.backup.place import BackupPlace
from dispinmap.clock import Clock
from dispinmap.database.engine import Database
from dispinmap.database.queries import heartbeat
from dispinmap.health import BackupState


class Backup:
    """What a running bot does for its backup."""

    def __init__(
        self,
        place: BackupPlace,
        replication: Replication,
        database: Database,
        clock: Clock,
        *,
        drill_every: timedelta,
        restored_in_seconds: float | None,
    ) -> None:
        self._place = place
        self._replication = replication
        self._database = database
        self._clock = clock
        self._drill_every = drill_every
        self._restored_in_seconds = restored_in_seconds
        self.heartbeat_writer = HeartbeatWriter(database, clock, replication, place.lease)
        self._drill_loop = DrillLoop(place, clock, database, drill_every=drill_every)

    @property
    def loops(self) -> Mapping[str, Callable[[], Awaitable[NoReturn]]]:
        """The loops that run for ever, by name."""
        return {"heartbeat": self.heartbeat_writer.run, "drill": self._drill_loop.run}

    async def state(self) -> BackupState:
        """The state of the backup now."""
        now = self._clock.now()
        async with self._database.read() as session:
            last = await heartbeat.last_drill(session, now)
            good = await heartbeat.last_drill(session, now, good=True)
        return BackupState(
            replica=str(self._place.configuration.replica),
            litestream=self._place.litestream.version,
            problem=self._replication.problem,
            restarts=self._replication.restarts,
            caught_up_at=self._replication.caught_up_at,
            drill_every=self._drill_every,
            last_drill=last,
            last_good_drill_at=good.finished_at if good else None,
            restored_in_seconds=self._restored_in_seconds,
        )
