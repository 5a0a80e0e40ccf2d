"""The drill: restore our own backup on a schedule, because a backup counts only once it was restored and checked."""

import asyncio
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

import structlog

from dispinmap.backup.copying import restore_checked
from dispinmap.backup.errors import BackupError
from dispinmap.backup.freshness import compare, lag
from dispinmap.backup.inspection import Inspection, inspect_file
from dispinmap.backup.place import BackupPlace
from dispinmap.clock import Clock
from dispinmap.database.engine import Database, uninterrupted
from dispinmap.database.queries import heartbeat
from dispinmap.health import DrillState

FIRST_AFTER: Final = timedelta(minutes=5)
"""A bot that just started has more urgent work, and its replica may still be catching up."""
RETRY_AFTER: Final = timedelta(minutes=15)
"""After a failed drill: a short outage of the storage must not be reported for a whole day."""
RESTORE_SECONDS: Final = 600.0
"""A drill may take its time: no one waits for it."""

log = structlog.get_logger(__name__)


def due_at(last: DrillState | None, started_at: datetime, every: timedelta) -> datetime:
    """When a bot that started at `started_at` drills next; `last` is its newest drill (pure)."""
    soonest = started_at + FIRST_AFTER
    if last is None:
        return soonest
    return max(soonest, last.finished_at + (every if last.problem is None else min(every, RETRY_AFTER)))


async def drill(place: BackupPlace, clock: Clock, *, seconds: float = RESTORE_SECONDS) -> DrillState:
    """Restore the newest state to a temporary folder, check it and compare it with the live database.

    Errors end up in the result's `problem`. The folder is beside the database: other disks may be full or read-only.
    """
    trial = _Trial(place, clock, seconds)
    try:
        await trial.run()
    except (BackupError, OSError) as error:
        trial.problem = str(error)
    return DrillState(clock.now(), trial.restore_seconds, trial.heartbeat_at, trial.problem)


class _Trial:
    """One drill, and its result so far."""

    def __init__(self, place: BackupPlace, clock: Clock, seconds: float) -> None:
        self._place = place
        self._live = place.database
        self._clock = clock
        self._seconds = seconds
        self.restore_seconds: float | None = None
        self.heartbeat_at: datetime | None = None
        self.problem: str | None = None

    async def run(self) -> None:
        """Try twice before we report a difference: a change made just before the first look may not be uploaded yet."""
        for _ in range(2):
            before = await self._look()
            copy = await self._restore()
            problems = compare(copy, before, await self._look())
            if not problems:
                break
        self.problem = lag(copy, before) or " ".join(problems) or None

    async def _look(self) -> Inspection:
        live = await asyncio.to_thread(inspect_file, self._live, integrity=False)
        if live.problems:
            raise BackupError(f"The copy cannot be compared with the live database. {' '.join(live.problems)}")
        return live

    async def _restore(self) -> Inspection:
        with TemporaryDirectory(
            prefix=_prefix(self._live), dir=self._live.parent, ignore_cleanup_errors=True
        ) as folder:
            started = self._clock.monotonic()
            target = Path(folder) / self._live.name
            copy = await restore_checked(self._place, target, clock=self._clock, seconds=self._seconds)
            self.restore_seconds = self._clock.monotonic() - started
        self.heartbeat_at = copy.heartbeat.beat_at if copy.heartbeat else None
        return copy


class DrillLoop:
    """Drills on a schedule, and remembers each outcome in the database."""

    def __init__(self, place: BackupPlace, clock: Clock, database: Database, *, drill_every: timedelta) -> None:
        self._place = place
        self._clock = clock
        self._database = database
        self._drill_every = drill_every

    async def run(self) -> NoReturn:
        """Drill for ever."""
        started_at = self._clock.now()
        await asyncio.to_thread(_clear, self._place.database)
        while True:
            now = self._clock.now()
            async with self._database.read() as session:
                last = await heartbeat.last_drill(session, now)
            # If `started_at` is in the future, the clock was corrected since.
            due = due_at(last, min(started_at, now), self._drill_every)
            await self._clock.sleep((due - now).total_seconds())
            state = await drill(self._place, self._clock)
            _report(state)
            await self._save(state)

    @uninterrupted
    async def _save(self, state: DrillState) -> None:
        async with self._database.write() as session:
            await heartbeat.save_drill(session, state)


def _report(state: DrillState) -> None:
    seconds = None if state.restore_seconds is None else round(state.restore_seconds, 2)
    if state.problem is None:
        log.info("drill_passed", restore_seconds=seconds, heartbeat_at=state.heartbeat_at)
    else:
        log.error("drill_failed", restore_seconds=seconds, heartbeat_at=state.heartbeat_at, problem=state.problem)


def _prefix(live: Path) -> str:
    return f".{live.name}-drill-"


def _clear(live: Path) -> None:
    """Remove what drills left behind if the bot was killed."""
    for folder in live.parent.glob(f"{_prefix(live)}*"):
        shutil.rmtree(folder, ignore_errors=True)
