"""Read replicas of Litestream 0.3 ourselves, without its binary, and notice missing pieces.

Litestream 0.3.13 silently restores past a missing segment; see `missing_pieces`.
"""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

import lz4.frame

from dispinmap.backup.errors import BackupError, RestoreFailed
from dispinmap.backup.inspection import find_damage
from dispinmap.backup.litestream03.generations import Plan, Segment, holes, plan
from dispinmap.backup.models import Replica
from dispinmap.backup.storage.store import Store
from dispinmap.backup.threads import in_thread
from dispinmap.database.copies import put_in_place

AT_A_TIME: Final = 8
"""How many segments we download at once and keep on disk. Storage is slow, and a day can have thousands of segments."""
ATTEMPTS: Final = 3
"""How often we list the replica again if Litestream changes it while we read."""
CURE: Final = "`dispinmap backup fetch` can get an earlier state with --at, or another generation with --generation"
TORN: Final = (
    "This is the snapshot alone: everything after it is missing, and a snapshot that was taken during a write can be "
    "torn. Without --snapshot-only you get the complete state."
)
_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24
"""Bytes, from https://www.sqlite.org/fileformat2.html#walformat"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetched file was made of. `warning` is None if nothing was left out."""

    plan: Plan
    segments: int
    """How many segments were applied to the snapshot."""
    warning: str | None = None

    @property
    def stored_at(self) -> datetime:
        """When its newest object was stored."""
        return self.plan.objects[self.segments].updated_at


async def fetch(
    store: Store,
    replica: Replica,
    target: Path,
    *,
    at: datetime | None = None,
    generation: str | None = None,
    snapshot_only: bool = False,
) -> Fetched:
    """Write the newest state, or the last state stored by `at`, to the new file `target`.

    `target` appears only once it is complete and checked. The bot may keep replicating: if its retention deletes an
    object that we need, we list again and use newer ones. `snapshot_only` leaves out the logs, see `TORN`.
    Raises NoBackup, RestoreFailed, StorageError, and BackupError if `target` exists or cannot be written.
    """
    if await in_thread(target.exists):
        raise BackupError(f"{target} already exists and is not overwritten: name another file with --to.")
    return await _with_plan(
        store, replica, at, generation, lambda chosen: _write(store, chosen, target, snapshot_only=snapshot_only)
    )


async def missing_pieces(store: Store, replica: Replica, *, at: datetime | None = None) -> list[str]:
    """What Litestream 0.3 would silently leave out when it restores this state, one sentence each.

    Object names show which logs and which beginnings of logs are missing. To find a segment missing in the middle of a
    log we download and decode the one before it, because nothing else tells its length. We cannot know whether the last
    segment of a log is missing. Raises NoBackup, RestoreFailed if an object is damaged, and StorageError.
    """
    try:
        await _with_plan(store, replica, at, None, lambda chosen: _require_whole(store, chosen))
    except _Incomplete as found:
        return found.gaps
    return []


class _Incomplete(RestoreFailed):
    """Something is missing. As this is an error, `_with_plan` looks again: the listing may just have been outdated."""

    def __init__(self, gaps: list[str]) -> None:
        super().__init__(" ".join(gaps))
        self.gaps = gaps


async def _with_plan(
    store: Store,
    replica: Replica,
    at: datetime | None,
    generation: str | None,
    work: Callable[[Plan], Awaitable[T]],
) -> T:
    """Let `work` carry out a plan; if it fails and the plan is outdated, try again with a new one.

    Litestream deletes old objects, and overwrites a snapshot as long as the log is the same. And listing a folder can
    miss a file that was added during the listing, even if it shows a later one.
    """
    chosen = plan(replica, await store.list(replica.path), at=at, generation=generation)
    attempt = 1
    while True:
        try:
            return await work(chosen)
        except BackupError:
            current = plan(replica, await store.list(replica.path), at=at, generation=generation)
            if attempt == ATTEMPTS or current.objects[: len(chosen.objects)] == chosen.objects:
                raise
        chosen = current
        attempt += 1


async def _require_whole(store: Store, chosen: Plan) -> None:
    following = {one: after for one, after in pairwise(chosen.segments) if one.index == after.index}
    found = holes(chosen)
    with TemporaryDirectory(prefix="dispinmap-continuity-", ignore_cleanup_errors=True) as folder:
        async for segment, packed in _downloaded(store, list(following), Path(folder)):
            end = segment.offset + await in_thread(_unpack, packed, Path(os.devnull), segment.stored.key)
            if end != following[segment].offset:
                found.append(_gap(following[segment], end))
    if found:
        raise _Incomplete(found)


async def _write(store: Store, chosen: Plan, target: Path, *, snapshot_only: bool) -> Fetched:
    if not snapshot_only and (missing := holes(chosen)):
        raise RestoreFailed(f"{' '.join(missing)} Nothing was written: {CURE}.")
    try:
        # Cleaning up may fail: after a cancellation a thread may still be writing to this folder.
        with TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent, ignore_cleanup_errors=True) as folder:
            part = Path(folder) / "fetched.db"
            await _snapshot(store, chosen, part)
            if not snapshot_only:
                await _replay(store, chosen.segments, part)
            if damage := " ".join(await in_thread(find_damage, part)):
                what = "The snapshot is torn" if snapshot_only else "The fetched database is damaged"
                cure = "fetch it without --snapshot-only" if snapshot_only else CURE
                raise RestoreFailed(f"{what}. {damage} Nothing was written: {cure}.")
            await in_thread(put_in_place, part, target)
    except OSError as error:
        raise BackupError(
            f"{target} cannot be written ({error}): check that its folder exists, is writable and has room."
        ) from error
    return Fetched(chosen, 0, TORN) if snapshot_only else Fetched(chosen, len(chosen.segments))


async def _snapshot(store: Store, chosen: Plan, part: Path) -> None:
    stored = chosen.snapshot.stored
    packed = part.with_name("snapshot.lz4")
    await store.download(stored, packed)
    await in_thread(_unpack, packed, part, stored.key)
    await in_thread(packed.unlink)


async def _replay(store: Store, segments: Sequence[Segment], part: Path) -> None:
    """Apply all segments to the file, one log after the other."""
    log = part.with_name(f"{part.name}-wal")
    last_of = {index: list(each)[-1] for index, each in groupby(segments, key=lambda one: one.index)}
    async for segment, packed in _downloaded(store, segments, part.parent):
        end = log.stat().st_size if log.exists() else 0
        if end != segment.offset:
            raise RestoreFailed(f"{_gap(segment, end)} Nothing was written: {CURE}.")
        await in_thread(_unpack, packed, log, segment.stored.key)
        if segment is last_of[segment.index]:
            await in_thread(_apply, part, log, segment)


async def _downloaded(store: Store, segments: Sequence[Segment], folder: Path) -> AsyncIterator[tuple[Segment, Path]]:
    """Each segment with its downloaded file, in order; at most `AT_A_TIME` files are in `folder`."""
    files = [folder / f"segment-{number}.lz4" for number in range(AT_A_TIME)]
    for start in range(0, len(segments), AT_A_TIME):
        batch = list(zip(segments[start : start + AT_A_TIME], files, strict=False))
        try:
            async with asyncio.TaskGroup() as group:
                for segment, file in batch:
                    group.create_task(store.download(segment.stored, file))
        except* BackupError as errors:
            raise errors.exceptions[0] from None
        for each in batch:
            yield each


def _gap(segment: Segment, end: int) -> str:
    return f"Bytes {end} to {segment.offset} of the log are missing before {segment.stored.key}."


def _unpack(packed: Path, target: Path, key: str) -> int:
    """Append the content of the LZ4 frame `packed` to `target`; returns its length in bytes."""
    if not packed.stat().st_size:
        raise RestoreFailed(f"{key} is empty: {CURE}.")
    try:
        with lz4.frame.open(packed) as reading, target.open("ab") as writing:
            shutil.copyfileobj(reading, writing)
            return int(reading.tell())
    except EOFError as error:
        raise RestoreFailed(f"{key} ends too early: {CURE}.") from error
    except RuntimeError as error:
        raise RestoreFailed(f"{key} is damaged ({error}): {CURE}.") from error


def _apply(database: Path, log: Path, last: Segment) -> None:
    """Move one log into the file with SQLite's own recovery, which stops at the first invalid frame."""
    name = f"WAL {last.index:08x} (up to {last.stored.key})"
    frames = _frames(log)
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            # No need to wait for the disk: after a crash this temporary file is useless anyway.
            connection.execute("PRAGMA synchronous = OFF")
            _, found, moved = connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
    except sqlite3.Error as error:
        raise RestoreFailed(f"{name} cannot be applied ({error}): {CURE}.") from error
    if not frames == found == moved:
        raise RestoreFailed(f"{name} is damaged, SQLite accepts {found} of its {frames} pages: {CURE}.")


def _frames(log: Path) -> int:
    with log.open("rb") as reading:
        page_size = int.from_bytes(reading.read(12)[8:], "big")
    return (log.stat().st_size - _WAL_HEADER) // (page_size + _FRAME_HEADER)
