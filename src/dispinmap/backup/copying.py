"""Restore the backup to a separate file, and check every page of it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import structlog

from dispinmap.backoff import pause_after
from dispinmap.backup.errors import BackupError, NoBackup, RestoreFailed, StorageUnreachable
from dispinmap.backup.inspection import Inspection, inspect_file
from dispinmap.backup.place import BackupPlace
from dispinmap.backup.versions import DIALECTS
from dispinmap.clock import Clock
from dispinmap.database.copies import remove_file

ROOM: Final = "check that its disk has room for another copy of the database, and that its folder is writable"
FIRST_PAUSE_SECONDS: Final = 2.0
LONGEST_PAUSE_SECONDS: Final = 30.0
EARLIER_ATTEMPTS: Final = 3
"""How often we restore for one `at`. Most storage has times in whole seconds, so the first result can be too late."""
_OUR_DISK: Final = re.compile("no space left on device|read-only file system|permission denied", re.IGNORECASE)
"""Litestream's words. About our own file they mean our disk, not the storage."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


async def restore_checked(
    place: BackupPlace,
    target: Path,
    *,
    clock: Clock,
    seconds: float,
    at: datetime | None = None,
    attempts: int = 3,
) -> Inspection:
    """Restore the newest state, or the last state up to `at`, to the new file `target`, and check it.

    On failure no file is left. Raises RestoreFailed if the copy is incomplete or damaged, NoBackup if there is no
    backup from that time, StorageError, and BackupError if `target` exists, cannot be written, or is not our database.
    """
    if await asyncio.to_thread(target.exists):
        raise BackupError(f"{target} already exists and is not overwritten: name another file, or move it away.")
    asked = at
    try:
        for _ in range(EARLIER_ATTEMPTS):
            copy = await _restore_whole(place, target, asked, clock, seconds, attempts)
            if at is None or asked is None or copy.heartbeat is None or copy.heartbeat.beat_at <= at:
                return copy
            remove_file(target)
            asked -= copy.heartbeat.beat_at - at + timedelta(seconds=1)
    except OSError as error:
        remove_file(target)
        raise BackupError(f"The backup cannot be restored to {target} ({error}): {ROOM}.") from error
    except BaseException:
        remove_file(target)
        raise
    raise RestoreFailed(
        f"The state of {place.configuration.replica} at {asked:%Y-%m-%d %H:%M:%S} UTC has a heartbeat from after "
        f"{at:%Y-%m-%d %H:%M:%S} UTC, so the clocks of the bot and the storage differ: ask for an earlier time."
    )


async def _restore_whole(
    place: BackupPlace, target: Path, at: datetime | None, clock: Clock, seconds: float, attempts: int
) -> Inspection:
    async def attempt() -> None:
        try:
            await _restore_once(place, target, at, seconds)
        except BackupError as error:
            if str(target) in str(error) and (found := _OUR_DISK.search(str(error))):
                raise OSError(found[0]) from error
            raise

    replica, reader = place.configuration.replica, DIALECTS[place.configuration.format].reader
    await with_retries(attempt, clock, attempts)
    problems: list[str] = []
    if reader is not None:
        problems += await with_retries(lambda: reader.missing_pieces(place.store, replica, at), clock, attempts)
    copy = await asyncio.to_thread(inspect_file, target)
    if copy.is_foreign and not problems:
        raise BackupError(f"{replica} holds a complete database, but not this bot's. {' '.join(copy.problems)}")
    problems += copy.problems
    if problems:
        raise RestoreFailed(f"The backup at {replica} was restored and is not whole. {' '.join(problems)}")
    return copy


async def _restore_once(place: BackupPlace, target: Path, at: datetime | None, seconds: float) -> None:
    """Raises RestoreFailed, not NoBackup, if Litestream finds no backup at all: it may not look everywhere."""
    configuration = place.configuration
    try:
        try:
            await place.litestream.restore(configuration, target, at=at, seconds=seconds)
        except RestoreFailed:
            if not DIALECTS[configuration.format].prunes_during_restore:
                raise
            await place.litestream.restore(configuration, target, at=at, seconds=seconds)
    except NoBackup as error:
        if at is not None:
            raise
        raise RestoreFailed(f"There is no whole backup at {configuration.replica}. {error}") from error


async def with_retries(step: Callable[[], Awaitable[T]], clock: Clock, attempts: int) -> T:
    """Retry `step`, with growing pauses, while it raises StorageUnreachable; `attempts` times in total."""
    for attempt in range(1, attempts):
        try:
            return await step()
        except StorageUnreachable as error:
            log.warning("storage_unreachable", attempt=attempt, of=attempts, error=str(error))
            await clock.sleep(pause_after(attempt, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))
    return await step()
