"""From the backup back to a database: checked before it is put in place, and never taken for empty without proof."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import structlog
from sqlalchemy import URL, update

from dispinmap.backup.checks import Copy, look_at, staleness
from dispinmap.backup.configuration.formats import refuse_mixed_formats
from dispinmap.backup.errors import BackupError, NoBackup, RestoreFailed, StorageUnreachable
from dispinmap.backup.fetch import check_continuity
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Configuration, Format, LeaseRecord, Replica
from dispinmap.backup.storage.store import Store
from dispinmap.clock import Clock
from dispinmap.database.backup import put_in_place, remove_file
from dispinmap.database.engine import sync_engine
from dispinmap.database.tables import HeartbeatRow

FIRST_PAUSE_SECONDS: Final = 2.0
WITHOUT_IT: Final = (
    "The bot does not start without it: `dispinmap backup restore --at TIME` goes on from an older state; to begin "
    "anew, point the bot at another, empty place."
)

T = TypeVar("T")
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
    if not await _patiently(lambda: store.list(replica.path), clock, attempts):
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
        if "heartbeat" in copy.rows:
            await asyncio.to_thread(mark_restored, part, clock.now())
        await asyncio.to_thread(install, part, database)
    finally:
        remove_file(part)
    restored = Restored(copy, clock.monotonic() - started)
    log.info("database_restored", replica=str(replica), seconds=round(restored.seconds, 2), revision=copy.revision)
    return restored


async def restore_checked(
    configuration: Configuration,
    litestream: Litestream,
    store: Store,
    target: Path,
    *,
    clock: Clock,
    seconds: float,
    at: datetime | None = None,
    attempts: int = 3,
) -> Copy:
    """Restore the newest state, or that of `at`, to the file `target`, which must not exist, and check it.

    Leaves no file where it fails. Raises RestoreFailed where the copy is not whole, NoBackup where there is none of
    that time, StorageError.
    """

    async def attempt() -> None:
        await _restore_once(configuration, litestream, target, at=at, seconds=seconds)

    replica = configuration.replica
    try:
        await _patiently(attempt, clock, attempts)
        problems: list[str] = []
        if configuration.format is Format.V0_3:
            problems = await _patiently(lambda: check_continuity(store, replica, at=at), clock, attempts)
        copy = await asyncio.to_thread(look_at, target)
        problems += copy.problems
        _require_none(replica, problems)
    except BaseException:
        remove_file(target)
        raise
    return copy


def mark_restored(file: Path, now: datetime) -> None:
    """Note in the database `file` that it came from a backup at `now`. Blocks.

    It needs the table of the heartbeat, and no row in it: the first heartbeat ever counts as a restore by itself.
    """
    engine = sync_engine(URL.create("sqlite", database=str(file)).render_as_string())
    try:
        with engine.begin() as connection:
            connection.execute(update(HeartbeatRow).values(restored_at=now))
    finally:
        engine.dispose()


def set_aside(database: Path, clock: Clock) -> Path:
    """Move a database, with what belongs to it, out of the way under a name that says when; we never delete it.

    Nobody may use it meanwhile. Returns its new place.
    """
    kept = database.with_name(f"{database.name}.set-aside-{clock.now():%Y%m%dT%H%M%SZ}")
    if kept.exists():
        raise BackupError(f"{kept} is there already: wait a second and try again.")
    for suffix in ("-wal", "-shm", ""):
        part = Path(f"{database}{suffix}")
        if part.exists():
            part.rename(f"{kept}{suffix}")
    forget_replication(database)
    return kept


def forget_replication(database: Path) -> None:
    """Remove what Litestream keeps beside a database file that another one takes the place of."""
    shutil.rmtree(database.with_name(f".{database.name}-litestream"), ignore_errors=True)


def install(part: Path, database: Path) -> None:
    """Let `part`, a whole database, become `database`, which is not there, without anything of a former one."""
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    forget_replication(database)
    put_in_place(part, database)


async def _restore_once(
    configuration: Configuration, litestream: Litestream, target: Path, *, at: datetime | None, seconds: float
) -> None:
    """Litestream finding nothing is no proof: with 0.5 it does not look everywhere."""
    try:
        try:
            await litestream.restore(configuration, target, at=at, seconds=seconds)
        except RestoreFailed:
            if configuration.format is Format.V0_3:
                raise
            # Litestream 0.5 may prune a file that its restore is about to read (benbjohnson/litestream#1270).
            await litestream.restore(configuration, target, at=at, seconds=seconds)
    except NoBackup as error:
        if at is not None:
            raise
        raise RestoreFailed(f"There is something at {configuration.replica}, but no whole backup. {error}") from error


def _require_none(replica: Replica, problems: list[str]) -> None:
    if problems:
        raise RestoreFailed(f"The backup at {replica} was restored and is not whole. {' '.join(problems)}")


def _require_never_written(configuration: Configuration, previous: LeaseRecord | None, *, allow_empty: bool) -> None:
    if previous is None or previous.writer is None or allow_empty:
        return
    raise RestoreFailed(
        f"A bot wrote its backup to {configuration.replica} until {previous.renewed_at:%Y-%m-%d %H:%M} UTC, and now "
        "nothing is there: bring it back (a bucket with versioning still has it), or point the bot at the right place. "
        "`dispinmap start --allow-empty` begins anew without it."
    )


def _require_newest(configuration: Configuration, copy: Copy, previous: LeaseRecord | None) -> None:
    stale = staleness(copy, previous.heartbeat_at if previous else None)
    if stale:
        raise RestoreFailed(
            f"What is left at {configuration.replica} is not the newest state. {stale} Bring the missing objects back "
            "(a bucket with versioning still has them), or run `dispinmap backup restore` to go on without them."
        )


async def _patiently(step: Callable[[], Awaitable[T]], clock: Clock, attempts: int) -> T:
    """Try again, after growing pauses, what failed because the storage did not answer."""
    for attempt in range(1, attempts):
        try:
            return await step()
        except StorageUnreachable as error:
            log.warning("storage_unreachable", attempt=attempt, of=attempts, error=str(error))
            await clock.sleep(FIRST_PAUSE_SECONDS**attempt)
    return await step()
