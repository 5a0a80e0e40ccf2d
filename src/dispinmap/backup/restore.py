"""From the backup back to a database: checked before it is put in place, and never taken for empty without proof."""

import asyncio
import errno
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import URL, func, select, update
from sqlalchemy.exc import DBAPIError

from dispinmap.backup.checks import Copy, look_at, staleness
from dispinmap.backup.configuration.formats import refuse_mixed_formats
from dispinmap.backup.continuity import is_later_elsewhere
from dispinmap.backup.copying import ROOM, patiently, restore_checked
from dispinmap.backup.errors import BackupError, RestoreFailed
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Configuration, LeaseRecord
from dispinmap.backup.storage.store import Store
from dispinmap.clock import Clock
from dispinmap.database.copies import put_in_place, remove_file
from dispinmap.database.engine import sync_engine, uninterrupted
from dispinmap.database.queries.heartbeat import in_doubt_until
from dispinmap.database.tables import HeartbeatRow, SubmissionRow

WITHOUT_IT: Final = (
    "The bot does not start without it: `dispinmap backup restore --at TIME` goes on from an older state; to begin "
    "anew, point the bot at another, empty place."
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """A database that was put in place, marked as restored."""

    copy: Copy
    seconds: float


async def bring_back(
    configuration: Configuration,
    litestream: Litestream,
    store: Store,
    *,
    previous: LeaseRecord | None,
    allow_empty: bool,
    clock: Clock,
    seconds: float,
    attempts: int = 3,
) -> Restored | None:
    """Restore the newest state to where the database belongs; None only where it is proven that there is no backup.

    `previous` is what the lease said before we took it. The proof is our own listing of the path, of the one beside it
    for the other format, and that no bot is known to have written there; `allow_empty` does without the last.
    Each attempt has `seconds`. Raises BackupError, having changed nothing, where there may be a backup that does not
    come back, or not all of it.
    """
    database, replica = configuration.database, configuration.replica
    if database.exists():
        raise RestoreFailed(f"{database} is there already: nothing is restored over it.")
    started = clock.monotonic()
    if not await patiently(lambda: store.list(replica.path), clock, attempts):
        await refuse_mixed_formats(configuration, store)
        _require_never_written(configuration, previous, allow_empty=allow_empty)
        log.info("no_backup_yet", replica=str(replica))
        return None
    part = database.with_name(f"{database.name}.restoring")
    remove_file(part)
    try:
        copy = await restore_checked(
            configuration, litestream, store, part, clock=clock, seconds=seconds, attempts=attempts
        )
    except RestoreFailed as error:
        raise RestoreFailed(f"{error} {WITHOUT_IT}") from error
    try:
        _require_newest(configuration, copy, previous)
        await _finished(part, database, copy, when_stopped(clock.now(), copy, previous))
    finally:
        remove_file(part)
    restored = Restored(copy, clock.monotonic() - started)
    log.info("database_restored", replica=str(replica), seconds=round(restored.seconds, 2), revision=copy.revision)
    return restored


async def require_known(configuration: Configuration, store: Store, local: Copy, previous: LeaseRecord | None) -> None:
    """See to it that neither the database `local` nor the backup buries the other where they may not belong together.

    Where no bot has signed the lease, a database that was adopted has something in it and no heartbeat yet: it is to go
    on in its old place, also where the holder before us died between its first heartbeat and its signature. Another one
    with a heartbeat has its backup elsewhere, as has one that was written after the bot that signed was gone; one
    without a target is that of a trial. Raises RestoreFailed, StorageError.
    """
    if previous is not None and previous.writer is not None:
        _require_no_later(configuration, local, previous)
        return
    if previous is not None and local.heartbeat is not None and local.heartbeat.holder == previous.holder:
        return
    if local.heartbeat is None and local.rows.get("monitoring_targets"):
        return
    if await store.list(configuration.replica.path):
        raise RestoreFailed(
            f"{configuration.replica} holds a backup, and nothing says that it is {configuration.database}'s: to go "
            "on from the backup move the database away, or run `dispinmap backup restore`, which shows both; to "
            "go on from the database, point the bot at another, empty place."
        )


def _require_no_later(configuration: Configuration, local: Copy, previous: LeaseRecord) -> None:
    if local.heartbeat is None or not is_later_elsewhere(local.heartbeat, previous):
        return
    raise RestoreFailed(
        f"{configuration.database} was written until {local.heartbeat.beat_at:%Y-%m-%d %H:%M:%S} UTC, after the last "
        f"bot that used {configuration.replica} was gone ({previous.written_until:%Y-%m-%d %H:%M:%S} UTC), so that its "
        "backup is in another place and what is here is older: point the bot at that place, or at another, empty one; "
        "to go on from the backup instead move the database away, or run `dispinmap backup restore`, which shows both."
    )


@uninterrupted
async def _finished(part: Path, database: Path, copy: Copy, now: datetime) -> None:
    """A thread that went on by itself could put in place what the next attempt has not checked yet."""
    await asyncio.to_thread(_finish, part, database, copy, now)


def _finish(part: Path, database: Path, copy: Copy, now: datetime) -> None:
    try:
        if "heartbeat" in copy.rows:
            mark_restored(part, now)
        install(part, database)
    except (OSError, DBAPIError) as error:
        raise RestoreFailed(
            f"The backup was restored and is good, but cannot be put in place at {database} ({reason(error)}): {ROOM}, "
            "then start again."
        ) from error


def when_stopped(now: datetime, copy: Copy, previous: LeaseRecord | None) -> datetime:
    """A time after the last one at which the former holder wrote or posted, also if our clock is behind its (pure)."""
    beat_at = copy.heartbeat.beat_at if copy.heartbeat else now
    return max(now, beat_at, previous.renewed_at if previous else now)


def reason(error: OSError | DBAPIError) -> str:
    """What went wrong, in one line: SQLAlchemy's own text has the statement and a link too."""
    return str(error.orig if isinstance(error, DBAPIError) else error)


def mark_restored(file: Path, now: datetime) -> None:
    """Note in the database `file` that it came from a backup at `now`. Blocks.

    It needs the table of the heartbeat, and no row in it: the first heartbeat ever counts as a restore by itself.
    """
    engine = sync_engine(URL.create("sqlite", database=str(file)).render_as_string())
    try:
        with engine.begin() as connection:
            newest = connection.scalar(select(func.max(SubmissionRow.created_at)))
            connection.execute(update(HeartbeatRow).values(restored_at=in_doubt_until(now, newest)))
    finally:
        engine.dispose()


def set_aside(database: Path, clock: Clock) -> Path:
    """Move a database, with what belongs to it, out of the way under a name that says when; we never delete it.

    Nobody may use it meanwhile. Returns its new place.
    """
    kept = database.with_name(f"{database.name}.set-aside-{clock.now():%Y%m%dT%H%M%SZ}")
    if kept.exists():
        raise BackupError(f"{kept} is there already: wait a second and try again.")
    _fold(database)
    _move(database, kept)
    forget_replication(database)
    return kept


def take_back(kept: Path, database: Path) -> None:
    """Undo `set_aside`, where nothing is in the database's place."""
    _move(kept, database)


def _move(database: Path, target: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{database}{suffix}")
        if part.exists():
            part.rename(f"{target}{suffix}")


def _fold(database: Path) -> None:
    """Move its log into it, so that it is one file, which moves in one step."""
    # SQLite would delete the log of a damaged one. That, and one on a full disk, moves as it is, in several steps.
    if look_at(database, integrity=False).problems:
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def forget_replication(database: Path) -> None:
    """Remove what Litestream keeps beside a database file that another one takes the place of."""
    shutil.rmtree(database.with_name(f".{database.name}-litestream"), ignore_errors=True)


def install(part: Path, database: Path) -> None:
    """Let `part`, a whole database, become `database`, which is not there, without anything of a former one.

    Raises OSError, with `part` still there and nothing in its place.
    """
    if Path(f"{part}-wal").exists():
        # Closing it, SQLite says nothing where the disk has no room to move its log into the file.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(part))
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    forget_replication(database)
    put_in_place(part, database)


def _require_never_written(configuration: Configuration, previous: LeaseRecord | None, *, allow_empty: bool) -> None:
    if previous is None or previous.writer is None or allow_empty:
        return
    if previous.heartbeat_at is None:
        raise RestoreFailed(
            f"A bot began a backup at {configuration.replica}, was gone by "
            f"{previous.written_until:%Y-%m-%d %H:%M} UTC, and nothing is there. The lease knows of nothing that it "
            "stored: if it was killed within its first minute there never was anything, and `dispinmap start "
            "--allow-empty` begins anew; otherwise bring it back (a bucket with versioning still has it), or point the "
            "bot at the right place."
        )
    raise RestoreFailed(
        f"A bot wrote its backup to {configuration.replica} until {previous.written_until:%Y-%m-%d %H:%M} UTC, and now "
        "nothing is there: bring it back (a bucket with versioning still has it), or point the bot at the right place. "
        "`dispinmap start --allow-empty` begins anew without it."
    )


def _require_newest(configuration: Configuration, copy: Copy, previous: LeaseRecord | None) -> None:
    stale = staleness(copy, previous)
    if stale is None:
        return
    if previous and copy.heartbeat and is_later_elsewhere(copy.heartbeat, previous):
        raise RestoreFailed(f"What {configuration.replica} gives back is not the newest state. {stale}")
    raise RestoreFailed(
        f"What is left at {configuration.replica} is not the newest state. {stale} Bring the missing objects back (a "
        "bucket with versioning still has them), or run `dispinmap backup restore` to go on without them."
    )
