"""`dispinmap backup restore`: replace the present database with a state of the backup."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from dispinmap.backup.copying import ROOM, restore_checked
from dispinmap.backup.errors import BackupError
from dispinmap.backup.freshness import staleness
from dispinmap.backup.inspection import Inspection, inspect_file
from dispinmap.backup.lease.lease import holding, sign
from dispinmap.backup.models import LeaseRecord
from dispinmap.backup.place import BackupPlace
from dispinmap.backup.restore import install, reason, set_aside, undo_set_aside, when_stopped
from dispinmap.backup.threads import in_thread
from dispinmap.clock import Clock
from dispinmap.database.engine import Database, uninterrupted
from dispinmap.database.lock import in_use
from dispinmap.database.queries import heartbeat
from dispinmap.database.upgrade import upgrade


@dataclass(frozen=True, slots=True)
class Replacement:
    """What would replace what. `present` is None if there is no database; `stale` says why `copy` is not the newest."""

    present: Inspection | None
    copy: Inspection
    stale: str | None


@dataclass(frozen=True, slots=True)
class Replaced:
    """The copy that is the database now, and where the previous database is kept; None if there was none."""

    copy: Inspection
    kept: Path | None


async def replace_database(
    place: BackupPlace,
    clock: Clock,
    *,
    agreed: Callable[[Replacement], bool],
    at: datetime | None = None,
    seconds: float = 120.0,
) -> Replaced | None:
    """Replace the database with the newest state, or the last state up to `at`. The next start continues from it.

    `agreed` is called in a thread once the copy is checked; if it says no, nothing changes and we return None. The
    previous database is set aside. Raises DatabaseError or LeaseLost if a bot uses the database or the replica, and
    BackupError.
    """
    database = place.database
    with in_use(database):
        async with holding(place.lease) as (previous, require_held):
            try:
                with _folder(database) as folder:
                    new_file = Path(folder) / "restored.db"
                    copy = await restore_checked(place, new_file, clock=clock, seconds=seconds, at=at)
                    # With `at` the copy is old on purpose.
                    stale = staleness(copy, previous) if at is None else None
                    present = await asyncio.to_thread(_present, database)
                    if not await in_thread(agreed, Replacement(present, copy, stale)):
                        return None
                    beat = await _make_ours(new_file, copy, place.lease.holder, previous, clock)
                    require_held()
                    kept = await _put_in_place(new_file, database, clock)
                await sign(place.lease, previous, beat)
                return Replaced(copy, kept)
            except (OSError, DBAPIError) as error:
                raise BackupError(f"{database} was not replaced and is as it was ({reason(error)}): {ROOM}.") from error


def _folder(database: Path) -> TemporaryDirectory[str]:
    """A temporary folder on the database's own disk, so that a move from it is one step.

    Removes the folders that killed commands left behind.
    """
    prefix = f".{database.name}-restore-"
    for left in database.parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    return TemporaryDirectory(prefix=prefix, dir=database.parent, ignore_cleanup_errors=True)


def _present(database: Path) -> Inspection | None:
    return inspect_file(database, integrity=False) if database.exists() else None


async def _make_ours(
    new_file: Path, copy: Inspection, holder: str, previous: LeaseRecord | None, clock: Clock
) -> datetime:
    """Write our heartbeat to the copy, so that the next start accepts it as the newest; upgrade the copy first.

    The heartbeat also names the previous writer: if we crash before the lease is updated, the lease still names it, and
    the next start must accept the copy then too.
    """
    url = URL.create("sqlite", database=str(new_file)).render_as_string()
    await asyncio.to_thread(upgrade, url, checked=True)
    database = Database(url)
    now = clock.now()
    try:
        async with database.write() as session:
            await heartbeat.beat(session, now, holder, previous.writer if previous else None)
            await heartbeat.mark_restored(session, when_stopped(now, copy, previous))
    finally:
        await database.close()
    return now


@uninterrupted
async def _put_in_place(new_file: Path, database: Path, clock: Clock) -> Path | None:
    """Finish even if cancelled: Ctrl-C halfway would leave no database, and the next start would restore another state
    than the one asked for.
    """
    return await asyncio.to_thread(_swap, new_file, database, clock)


def _swap(new_file: Path, database: Path, clock: Clock) -> Path | None:
    kept = set_aside(database, clock) if database.exists() else None
    try:
        install(new_file, database)
    except OSError:
        if kept is not None:
            undo_set_aside(kept, database)
        raise
    return kept
