"""A state of the backup in the place of the present database, by hand."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL

from dispinmap.backup.checks import Copy, look_at, staleness
from dispinmap.backup.place import Place
from dispinmap.backup.restore import install, restore_checked, set_aside
from dispinmap.backup.threads import in_thread
from dispinmap.clock import Clock
from dispinmap.database.engine import Database
from dispinmap.database.lock import in_use
from dispinmap.database.queries import heartbeat
from dispinmap.database.upgrade import upgrade


@dataclass(frozen=True, slots=True)
class Exchange:
    """What would take the place of what. `present` is None where there is no database; `stale` says what is missing."""

    present: Copy | None
    copy: Copy
    stale: str | None


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The copy that is the database now, and where the former one is; None where there was none."""

    copy: Copy
    kept: Path | None


async def replace_database(
    place: Place,
    clock: Clock,
    *,
    agreed: Callable[[Exchange], bool],
    at: datetime | None = None,
    seconds: float = 120.0,
) -> Exchanged | None:
    """Restore the newest state, or that of `at`, in place of the database, so that the next start goes on from it.

    `agreed` is asked, in a thread, once the copy is checked; None where it says no. The former database is set aside.
    Raises DatabaseError or LeaseLost while a bot uses the database or the replica, BackupError.
    """
    with in_use(place.configuration.database):
        previous = await place.lease.try_acquire()
        keeping = asyncio.ensure_future(place.lease.keep())
        try:
            with _folder(place.configuration.database) as folder:
                part = Path(folder) / "restored.db"
                copy = await restore_checked(
                    place.configuration, place.litestream, place.store, part, clock=clock, seconds=seconds, at=at
                )
                # At a time asked for it is meant to be old.
                stale = staleness(copy, previous.heartbeat_at) if previous and at is None else None
                present = await asyncio.to_thread(_present, place.configuration.database)
                if not await in_thread(agreed, Exchange(present, copy, stale)):
                    return None
                await _make_ours(part, place.lease.holder, clock)
                if keeping.done():
                    keeping.result()
                kept = await asyncio.to_thread(_exchange, part, place.configuration.database, clock)
            await place.lease.record(writer=place.lease.holder)
            return Exchanged(copy, kept)
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})
            await place.lease.release()


def _folder(database: Path) -> TemporaryDirectory[str]:
    """On the database's own disk, so that moving from it is one step."""
    return TemporaryDirectory(prefix=f".{database.name}-restore-", dir=database.parent)


def _present(database: Path) -> Copy | None:
    return look_at(database, integrity=False) if database.exists() else None


async def _make_ours(part: Path, holder: str, clock: Clock) -> None:
    """Give it the heartbeat by which the next start knows it for the newest, also if it must be upgraded for that."""
    url = URL.create("sqlite", database=str(part)).render_as_string()
    await asyncio.to_thread(upgrade, url)
    database = Database(url)
    try:
        async with database.write() as session:
            await heartbeat.beat(session, clock.now(), holder)
            await heartbeat.mark_restored(session, clock.now())
    finally:
        await database.close()


def _exchange(part: Path, database: Path, clock: Clock) -> Path | None:
    kept = set_aside(database, clock) if database.exists() else None
    install(part, database)
    return kept
