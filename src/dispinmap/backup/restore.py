"""The restore at a start: check the copy before it becomes the database, and never assume there is no backup."""

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

from dispinmap.backup.copying import ROOM, restore_checked, with_retries
from dispinmap.backup.errors import BackupError, RestoreFailed
from dispinmap.backup.freshness import is_later_elsewhere, staleness
from dispinmap.backup.inspection import Inspection, inspect_file
from dispinmap.backup.models import Configuration, LeaseRecord, Replica
from dispinmap.backup.place import BackupPlace
from dispinmap.backup.versions import refuse_mixed_formats
from dispinmap.clock import Clock
from dispinmap.database.copies import put_in_place, remove_file
from dispinmap.database.engine import sync_engine, uninterrupted
from dispinmap.database.queries.heartbeat import in_doubt_until
from dispinmap.database.tables import HeartbeatRow, SubmissionRow

WITHOUT_IT: Final = (
    "The bot does not start without it: run `dispinmap backup restore --at TIME` to continue from an older state, or "
    "point the bot at another, empty place to start over."
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """The copy that became the database, and how many seconds the restore took."""

    copy: Inspection
    seconds: float


async def restore_newest(
    place: BackupPlace,
    *,
    previous: LeaseRecord | None,
    allow_empty: bool,
    clock: Clock,
    seconds: float,
    attempts: int = 3,
) -> Restored | None:
    """Restore the newest state to the database's path; returns None only if there is provably no backup.

    `previous` is the lease before we took it. There is no backup if we list nothing at the path and nothing at the
    other format's path beside it, and the lease names no writer; `allow_empty` skips the last condition. Litestream's
    own "no backup" is not enough, because it can also mean that it could not see one.
    Each attempt has `seconds`. Raises BackupError, having changed nothing, if there may be a backup that we cannot
    restore completely.
    """
    database, replica = place.database, place.configuration.replica
    if database.exists():
        raise RestoreFailed(f"{database} already exists: nothing is restored over it.")
    started = clock.monotonic()
    if not await with_retries(lambda: place.store.list(replica.path), clock, attempts):
        await refuse_mixed_formats(place.configuration, place.store)
        _require_never_written(replica, previous, allow_empty=allow_empty)
        log.info("no_backup_yet", replica=str(replica))
        return None
    new_file = database.with_name(f"{database.name}.restoring")
    remove_file(new_file)
    try:
        copy = await restore_checked(place, new_file, clock=clock, seconds=seconds, attempts=attempts)
    except RestoreFailed as error:
        raise RestoreFailed(f"{error} {WITHOUT_IT}") from error
    try:
        _require_newest(replica, copy, previous)
        await _put_in_place(new_file, database, copy, when_stopped(clock.now(), copy, previous))
    finally:
        remove_file(new_file)
    restored = Restored(copy, clock.monotonic() - started)
    log.info("database_restored", replica=str(replica), seconds=round(restored.seconds, 2), revision=copy.revision)
    return restored


async def require_known(place: BackupPlace, local: Inspection, previous: LeaseRecord | None) -> None:
    """Raise RestoreFailed if the database `local` and the backup may not belong together, to save both.

    If the lease names a writer, `local` must not have been written by an unknown bot after that writer had stopped:
    then its backup is elsewhere. If the lease names no writer, we accept

    - a database whose heartbeat is from the previous holder: it crashed after its first heartbeat, before its name was
      in the lease;
    - a database without a heartbeat but with targets: it was just adopted, and continues in its old place;
    - any database, if no backup is stored.

    Every other database has its backup elsewhere, or is from a trial. Also raises StorageError.
    """
    if previous is not None and previous.writer is not None:
        _require_no_later(place.configuration, local, previous)
        return
    if previous is not None and local.heartbeat is not None and local.heartbeat.holder == previous.holder:
        return
    if local.heartbeat is None and local.rows.get("monitoring_targets"):
        return
    replica = place.configuration.replica
    if await place.store.list(replica.path):
        raise RestoreFailed(
            f"{replica} holds a backup, and nothing says that it is {place.database}'s: to "
            "continue from the backup, move the database away or run `dispinmap backup restore`, which shows both; to "
            "continue from the database, point the bot at another, empty place."
        )


def _require_no_later(configuration: Configuration, local: Inspection, previous: LeaseRecord) -> None:
    if local.heartbeat is None or not is_later_elsewhere(local.heartbeat, previous):
        return
    raise RestoreFailed(
        f"{configuration.database} was written until {local.heartbeat.beat_at:%Y-%m-%d %H:%M:%S} UTC, after the last "
        f"bot that used {configuration.replica} had stopped ({previous.written_until:%Y-%m-%d %H:%M:%S} UTC), so "
        "its backup is in another place and what is here is older: point the bot at that place, or at another, empty "
        "one; to continue from this backup instead, move the database away or run `dispinmap backup restore`, which "
        "shows both."
    )


@uninterrupted
async def _put_in_place(new_file: Path, database: Path, copy: Inspection, now: datetime) -> None:
    """Finish even if cancelled: a thread left running could install the next attempt's copy before it is checked."""
    await asyncio.to_thread(_mark_and_install, new_file, database, copy, now)


def _mark_and_install(new_file: Path, database: Path, copy: Inspection, now: datetime) -> None:
    try:
        if "heartbeat" in copy.rows:
            mark_restored(new_file, now)
        install(new_file, database)
    except (OSError, DBAPIError) as error:
        raise RestoreFailed(
            f"The backup was restored and is good, but cannot be moved to {database} ({reason(error)}): {ROOM}, then "
            "start again."
        ) from error


def when_stopped(now: datetime, copy: Inspection, previous: LeaseRecord | None) -> datetime:
    """A time by which the previous holder had stopped writing and posting, even if our clock is behind its (pure)."""
    beat_at = copy.heartbeat.beat_at if copy.heartbeat else now
    return max(now, beat_at, previous.renewed_at if previous else now)


def reason(error: OSError | DBAPIError) -> str:
    """What went wrong, in one line. SQLAlchemy's own message would add the statement and a link."""
    return str(error.orig if isinstance(error, DBAPIError) else error)


def mark_restored(file: Path, now: datetime) -> None:
    """Note in the database `file` that it was restored from a backup at `now`. Blocks.

    Messages posted after the copy was made are not in it. So what was created up to `now` is in doubt: the bot looks
    for it in the channel before it posts it. The heartbeat table may be empty: the very first heartbeat also counts as
    a restore.
    """
    engine = sync_engine(URL.create("sqlite", database=str(file)).render_as_string())
    try:
        with engine.begin() as connection:
            newest = connection.scalar(select(func.max(SubmissionRow.created_at)))
            connection.execute(update(HeartbeatRow).values(restored_at=in_doubt_until(now, newest)))
    finally:
        engine.dispose()


def set_aside(database: Path, clock: Clock) -> Path:
    """Rename a database and its SQLite files, with the time in the new name; we never delete a database.

    No one may be using it. Returns its new path.
    """
    kept = database.with_name(f"{database.name}.set-aside-{clock.now():%Y%m%dT%H%M%SZ}")
    if kept.exists():
        raise BackupError(f"{kept} already exists: wait a second and try again.")
    _fold(database)
    _move(database, kept)
    forget_replication(database)
    return kept


def undo_set_aside(kept: Path, database: Path) -> None:
    """Undo `set_aside`. Nothing may be at the database's path."""
    _move(kept, database)


def _move(database: Path, target: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        file = Path(f"{database}{suffix}")
        if file.exists():
            file.rename(f"{target}{suffix}")


def _fold(database: Path) -> None:
    """Move the log into the database file, so that one rename moves everything."""
    # SQLite would delete the log of a damaged database. Such a database keeps its log, as does one on a full disk.
    if inspect_file(database, integrity=False).problems:
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def forget_replication(database: Path) -> None:
    """Remove the files Litestream keeps beside a database: they do not fit the file that replaces it."""
    shutil.rmtree(database.with_name(f".{database.name}-litestream"), ignore_errors=True)


def install(new_file: Path, database: Path) -> None:
    """Move `new_file`, a complete database, to the free path `database`, and remove files left by a previous database.

    If it raises OSError, `new_file` is still there and `database` is not.
    """
    if Path(f"{new_file}-wal").exists():
        # On a full disk SQLite cannot move the log into the file when it closes it, and does not report that.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(new_file))
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    forget_replication(database)
    put_in_place(new_file, database)


def _require_never_written(replica: Replica, previous: LeaseRecord | None, *, allow_empty: bool) -> None:
    if previous is None or previous.writer is None or allow_empty:
        return
    if previous.heartbeat_at is None:
        raise RestoreFailed(
            f"A bot began a backup at {replica} and had stopped by "
            f"{previous.written_until:%Y-%m-%d %H:%M} UTC, and nothing is there. The lease knows of nothing that it "
            "stored: if it was killed within its first minute, there never was a backup, and `dispinmap start "
            "--allow-empty` starts over; otherwise bring the backup back (a bucket with versioning still has it), or "
            "point the bot at the right place."
        )
    raise RestoreFailed(
        f"A bot wrote its backup to {replica} until {previous.written_until:%Y-%m-%d %H:%M} UTC, and now "
        "nothing is there: bring it back (a bucket with versioning still has it), or point the bot at the right place. "
        "`dispinmap start --allow-empty` starts over without it."
    )


def _require_newest(replica: Replica, copy: Inspection, previous: LeaseRecord | None) -> None:
    stale = staleness(copy, previous)
    if stale is None:
        return
    if previous and copy.heartbeat and is_later_elsewhere(copy.heartbeat, previous):
        raise RestoreFailed(f"The state restored from {replica} is not the newest state. {stale}")
    raise RestoreFailed(
        f"What is left at {replica} is not the newest state. {stale} Bring the missing objects back (a "
        "bucket with versioning still has them), or run `dispinmap backup restore` to continue without them."
    )
