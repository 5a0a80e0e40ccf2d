"""Replicas of Litestream 0.3 read by ourselves: no binary is needed, and a hole is seen.

Litestream 0.3.13 restores past a missing segment without a word; see `check_continuity`.
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
from dispinmap.backup.generations import Plan, Segment, holes, plan
from dispinmap.backup.models import Replica
from dispinmap.backup.storage.store import Store
from dispinmap.backup.threads import in_thread
from dispinmap.database.copies import put_in_place

AT_A_TIME: Final = 8
"""Downloads at once, and downloaded segments on disk: storage answers slowly, and a day can have thousands of them."""
ATTEMPTS: Final = 3
"""With a new listing each, where Litestream changes under us what was listed."""
CURE: Final = "`dispinmap backup fetch` gets an earlier state with --at, or another one with --generation"
TORN: Final = (
    "This is the snapshot alone: everything after it is missing, and one that was taken while something was written "
    "can be torn. Without --snapshot-only you get the whole state."
)
_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24
"""Bytes, from https://www.sqlite.org/fileformat2.html#walformat"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a file was made of. `warning` is None where it is whole."""

    plan: Plan
    segments: int
    """How many were applied to the snapshot."""
    warning: str | None = None

    @property
    def stored_at(self) -> datetime:
        """When the last of what is in it was stored."""
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
    """Write the newest state, or the last one stored by `at`, to the file `target`, which must not exist.

    Whole and checked, or not at all. The bot may go on replicating meanwhile; its retention deletes old objects, and
    where that hits us the newer ones are taken. `snapshot_only` leaves the logs out, see `TORN`.
    Raises NoBackup, RestoreFailed, StorageError, and BackupError where `target` cannot be written.
    """
    if await in_thread(target.exists):
        raise BackupError(f"{target} is there already, and is not overwritten: name another file with --to.")
    return await _with_plan(
        store, replica, at, generation, lambda chosen: _write(store, chosen, target, snapshot_only=snapshot_only)
    )


async def check_continuity(store: Store, replica: Replica, *, at: datetime | None = None) -> list[str]:
    """What Litestream 0.3 leaves out in silence where it restores the same state, a sentence each.

    Names tell of missing logs and missing beginnings. For a piece missing in a log's middle the one before it must be
    decoded, as only that tells its length; these are the objects downloaded. What cannot be known is whether the last
    piece of a log is missing, be it the newest log or an earlier one. Raises NoBackup, RestoreFailed where something is
    damaged, and StorageError.
    """
    try:
        await _with_plan(store, replica, at, None, lambda chosen: _require_whole(store, chosen))
    except _Incomplete as found:
        return found.gaps
    return []


class _Incomplete(RestoreFailed):
    """An error, so that it is looked at again where that only was so in a listing made while something changed."""

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
    """Let `work` carry out the plan, with a new one where Litestream changed what is in it meanwhile.

    It deletes what is too old, and overwrites the snapshot while the log is the same. And the listing of a folder may
    miss one of two files that were added meanwhile, be it the first.
    """
    chosen = plan(replica, await store.list(replica.path), at=at, generation=generation)
    attempt = 1
    while True:
        try:
            return await work(chosen)
        except BackupError:
            anew = plan(replica, await store.list(replica.path), at=at, generation=generation)
            if attempt == ATTEMPTS or anew.objects[: len(chosen.objects)] == chosen.objects:
                raise
        chosen = anew
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
        # Where this is cancelled, a thread may still be writing there.
        with TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent, ignore_cleanup_errors=True) as folder:
            part = Path(folder) / "fetched.db"
            await _snapshot(store, chosen, part)
            if not snapshot_only:
                await _replay(store, chosen.segments, part)
            if (damage := await in_thread(_damage, part)) is not None:
                raise RestoreFailed(_unsound(damage, snapshot_only=snapshot_only))
            await in_thread(put_in_place, part, target)
    except OSError as error:
        raise BackupError(
            f"{target} cannot be written ({error}): check that its folder exists, may be written and has room."
        ) from error
    return Fetched(chosen, 0, TORN) if snapshot_only else Fetched(chosen, len(chosen.segments))


async def _snapshot(store: Store, chosen: Plan, part: Path) -> None:
    stored = chosen.snapshot.stored
    packed = part.with_name("snapshot.lz4")
    await store.download(stored, packed)
    await in_thread(_unpack, packed, part, stored.key)
    await in_thread(packed.unlink)


async def _replay(store: Store, segments: Sequence[Segment], part: Path) -> None:
    """Bring the file to the end of the last segment, one log after the other."""
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
    """Each segment with its file, in order; `folder` never has more than a few of them."""
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
    return f"Before {segment.stored.key} something is missing: bytes {end} to {segment.offset} of that log."


def _unpack(packed: Path, target: Path, key: str) -> int:
    """Append what is in the LZ4 frame, and return how many bytes that were."""
    if not packed.stat().st_size:
        raise RestoreFailed(f"{key} is empty: {CURE}.")
    try:
        with lz4.frame.open(packed) as reading, target.open("ab") as writing:
            shutil.copyfileobj(reading, writing)
            return int(reading.tell())
    except EOFError as error:
        raise RestoreFailed(f"{key} ends too early, a part of it is missing: {CURE}.") from error
    except RuntimeError as error:
        raise RestoreFailed(f"{key} is damaged ({error}): {CURE}.") from error


def _apply(database: Path, log: Path, last: Segment) -> None:
    """Move one log into the file with SQLite's own recovery, which ends at the first frame that is not right."""
    name = f"WAL {last.index:08x} (up to {last.stored.key})"
    frames = _frames(log)
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            # What a crash of this machine could spoil is a temporary file.
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


def _damage(database: Path) -> str | None:
    try:
        with closing(sqlite3.connect(database)) as connection:
            (line,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        line = str(error)
    return None if line == "ok" else " ".join(line.split())


def _unsound(damage: str, *, snapshot_only: bool) -> str:
    if snapshot_only:
        return f"The snapshot is torn ({damage}). Nothing was written: fetch it without --snapshot-only."
    return f"What was fetched is damaged ({damage}). Nothing was written: {CURE}."
