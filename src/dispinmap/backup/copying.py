"""The backup as a file of its own, checked from its first page to its last."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import structlog

from dispinmap.backup.checks import Copy, look_at
from dispinmap.backup.errors import BackupError, NoBackup, RestoreFailed, StorageUnreachable
from dispinmap.backup.fetch import check_continuity
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Configuration, Format, Replica
from dispinmap.backup.storage.store import Store
from dispinmap.clock import Clock
from dispinmap.database.copies import remove_file

ROOM: Final = "check that its disk has room for one database more, and that its folder may be written"
FIRST_PAUSE_SECONDS: Final = 2.0
EARLIER_ATTEMPTS: Final = 3
"""Restores for one moment, where the first ones hold something later: most storage knows whole seconds only."""
_OUR_DISK: Final = re.compile("no space left on device|read-only file system|permission denied", re.IGNORECASE)
"""Litestream's words, which about our file do not mean the storage."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


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
    """Restore the newest state, or the last one of up to `at`, to the file `target`, not yet there, and check it.

    Leaves no file where it fails. Raises RestoreFailed where the copy is not whole, NoBackup where there is none of
    that time, StorageError, and BackupError where the copy is no database of ours or cannot be written.
    """
    if await asyncio.to_thread(target.exists):
        raise BackupError(f"{target} is there already, and is not overwritten: name another file, or move it away.")
    asked = at
    try:
        for _ in range(EARLIER_ATTEMPTS):
            copy = await _restore_whole(configuration, litestream, store, target, asked, clock, seconds, attempts)
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
        f"What {configuration.replica} holds of up to {asked:%Y-%m-%d %H:%M:%S} UTC already has a heartbeat of after "
        f"{at:%Y-%m-%d %H:%M:%S} UTC, so that the clocks of the bot and of the storage differ: ask for an earlier time."
    )


async def _restore_whole(
    configuration: Configuration,
    litestream: Litestream,
    store: Store,
    target: Path,
    at: datetime | None,
    clock: Clock,
    seconds: float,
    attempts: int,
) -> Copy:
    async def attempt() -> None:
        try:
            await _restore_once(configuration, litestream, target, at=at, seconds=seconds)
        except BackupError as error:
            if str(target) in str(error) and (found := _OUR_DISK.search(str(error))):
                raise OSError(found[0]) from error
            raise

    replica = configuration.replica
    await patiently(attempt, clock, attempts)
    problems: list[str] = []
    if configuration.format is Format.V0_3:
        problems = await patiently(lambda: check_continuity(store, replica, at=at), clock, attempts)
    copy = await asyncio.to_thread(look_at, target)
    if copy.is_another and not problems:
        raise BackupError(f"What {replica} holds is whole, and nothing to go on from. {' '.join(copy.problems)}")
    _require_none(replica, [*problems, *copy.problems])
    return copy


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
        raise RestoreFailed(f"There is no whole backup at {configuration.replica}. {error}") from error


def _require_none(replica: Replica, problems: list[str]) -> None:
    if problems:
        raise RestoreFailed(f"The backup at {replica} was restored and is not whole. {' '.join(problems)}")


async def patiently(step: Callable[[], Awaitable[T]], clock: Clock, attempts: int) -> T:
    """Try again, after growing pauses, what failed because the storage did not answer."""
    for attempt in range(1, attempts):
        try:
            return await step()
        except StorageUnreachable as error:
            log.warning("storage_unreachable", attempt=attempt, of=attempts, error=str(error))
            await clock.sleep(FIRST_PAUSE_SECONDS**attempt)
    return await step()
