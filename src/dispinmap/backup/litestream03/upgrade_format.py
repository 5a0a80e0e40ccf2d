"""Copy a replica of Litestream 0.3 to one of 0.5 beside it, and restore the new one to prove it.

We read the old replica ourselves: 0.5.17 cannot read it on Google's storage, and starts empty without an error.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from dispinmap.backup.configuration.effective import make_configuration
from dispinmap.backup.copying import ROOM
from dispinmap.backup.errors import BackupError, LitestreamMissing, RestoreFailed
from dispinmap.backup.freshness import staleness
from dispinmap.backup.inspection import Inspection, inspect_file
from dispinmap.backup.lease.lease import holding
from dispinmap.backup.litestream03.fetch import Fetched, fetch
from dispinmap.backup.litestream03.formats import old_path
from dispinmap.backup.litestream03.generations import plan
from dispinmap.backup.models import V5_SUFFIX, Format, LeaseRecord, Replica, StorageKind
from dispinmap.backup.place import BackupPlace
from dispinmap.backup.storage.store import Store
from dispinmap.backup.threads import in_thread

ONCE_MORE: Final = (
    "Nothing was written. Start the bot with Litestream 0.3 once more (dispinmap[litestream]), stop it, and run this "
    "again."
)
_OWN_TABLES: Final = ("CREATE TABLE _litestream_", 'INSERT INTO "_litestream_')
"""Tables that Litestream adds to the database; each version has its own."""


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was copied from `old` to `new`."""

    old: Replica
    new: Replica
    fetched: Fetched
    copy: Inspection


async def both_paths(replica: Replica, store: Store) -> tuple[Replica, Replica]:
    """The replica in the old format and the one for the new format; `replica` may be either."""
    old = replace(replica, path=await old_path(replica, store))
    return old, replace(old, path=f"{old.path}{V5_SUFFIX}")


async def upgrade_format(place: BackupPlace, *, seconds: float = 120.0) -> Upgraded:
    """Replicate the newest 0.3 state with 0.5 to the path beside it, restore it from there and compare every row.

    We never write to the old path, and the lease keeps its `writer`, so the next start accepts the new replica as the
    newest. If the new path already has data, we only restore and compare, so this can be run again after any failure.
    Litestream has `seconds` for each of its two steps.
    Raises LeaseLost while a bot runs, LitestreamMissing if the installed one is not 0.5, and BackupError, NoBackup,
    RestoreFailed or StorageError.
    """
    if place.litestream.format is not Format.V0_5:
        raise LitestreamMissing(
            f"This needs Litestream 0.5, and {place.litestream.version} is installed: install dispinmap[litestream05]."
        )
    async with holding(place.lease) as (previous, require_held):
        upgraded = await _upgrade(place, previous, seconds)
        require_held()
        return upgraded


async def _upgrade(place: BackupPlace, previous: LeaseRecord | None, seconds: float) -> Upgraded:
    old, new = await both_paths(place.configuration.replica, place.store)
    begun = bool(await place.store.list(new.path))
    disk = place.database.parent
    try:
        with TemporaryDirectory(
            prefix=".dispinmap-upgrade-", dir=disk if disk.is_dir() else None, ignore_cleanup_errors=True
        ) as folder:
            file = Path(folder) / "fetched.db"
            fetched = await fetch(place.store, old, file)
            copy = await in_thread(inspect_file, file)
            if begun:
                await _prove(place, file, copy, new, seconds)
            await _require_newest(place, file, copy, previous)
            if not begun:
                await _replicate(place, file, new, seconds)
                await _prove(place, file, copy, new, seconds)
    except OSError as error:
        raise BackupError(f"Copies of the database cannot be written ({error}): {ROOM}.") from error
    if plan(old, await place.store.list(old.path)) != fetched.plan:
        raise BackupError(
            f"A bot is still writing to {old}, so it holds more than {new} by now: stop that bot, then "
            f"{_begin_again(new)}"
        )
    return Upgraded(old, new, fetched, copy)


async def _require_newest(place: BackupPlace, file: Path, copy: Inspection, previous: LeaseRecord | None) -> None:
    """Raise RestoreFailed if the fetched database has problems or is not the newest state."""
    if copy.problems:
        raise RestoreFailed(f"The fetched database is not good. {' '.join(copy.problems)} Nothing was written.")
    stale = staleness(copy, previous)
    if stale is not None:
        raise RestoreFailed(f"{stale} {ONCE_MORE}")
    database = place.database
    if await in_thread(_may_be_newer, database, copy) and await in_thread(difference, database, file) is not None:
        raise RestoreFailed(
            f"{database} holds something that the backup does not. {ONCE_MORE} Or move that file away, if it is not "
            "the bot's."
        )


def _may_be_newer(database: Path, copy: Inspection) -> bool:
    if not database.is_file():
        return False
    local = inspect_file(database, integrity=False).heartbeat
    return copy.heartbeat is None or (local is not None and local.beat_at >= copy.heartbeat.beat_at)


async def _replicate(place: BackupPlace, fetched: Path, new: Replica, seconds: float) -> None:
    try:
        await place.litestream.replicate_once(
            make_configuration(Format.V0_5, fetched, new, "the upgrade"), seconds=seconds
        )
    except BackupError as error:
        raise _unproven(str(error), new) from error


async def _prove(place: BackupPlace, fetched: Path, copy: Inspection, new: Replica, seconds: float) -> None:
    """Raise BackupError if a restore from the new replica differs from what was fetched from the old one."""
    restored = fetched.with_name("restored.db")
    try:
        await place.litestream.restore(
            make_configuration(Format.V0_5, fetched, new, "the upgrade"), restored, seconds=seconds
        )
    except BackupError as error:
        raise _unproven(str(error), new) from error
    found = await in_thread(inspect_file, restored)
    different = await in_thread(difference, fetched, restored)
    if not found.problems and different is not None and _goes_on(found, copy):
        raise BackupError(
            f"A bot already uses {new}, which holds a newer state than the replica of Litestream 0.3: nothing is left "
            "to do but to let the bot use that path."
        )
    if found.problems or different is not None:
        sentences = (f"A restore from {new} does not give back what was written.", *found.problems, different or "")
        raise _unproven(" ".join(sentences), new)


def _goes_on(new: Inspection, old: Inspection) -> bool:
    return new.heartbeat is not None and (old.heartbeat is None or new.heartbeat.beat_at > old.heartbeat.beat_at)


def _unproven(sentence: str, new: Replica) -> RestoreFailed:
    return RestoreFailed(f"{sentence} The new format is not proven: {_begin_again(new)}")


def difference(one: Path, other: Path) -> str | None:
    """The first difference in the schemas and rows of two databases; None if there is none. Blocks.

    Litestream's own tables do not count.
    """
    try:
        with closing(_reading(one)) as reading_one, closing(_reading(other)) as reading_other:
            for here, there in zip_longest(_statements(reading_one), _statements(reading_other)):
                if here != there:
                    return f"They differ in: {(here or there).partition(' VALUES(')[0]}."
    except sqlite3.Error as error:
        return f"They cannot be compared ({error})."
    return None


def _reading(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    # SQLite accepts any bytes as text.
    connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
    return connection


def _statements(connection: sqlite3.Connection) -> Iterator[str]:
    """The database as SQL: tables sorted by name, rows by key."""
    return (each for each in connection.iterdump() if not each.startswith(_OWN_TABLES))


def _begin_again(new: Replica) -> str:
    command = {
        StorageKind.GCS: f"gcloud storage rm --recursive gs://{new.bucket}/{new.path}/",
        StorageKind.S3: f"aws s3 rm --recursive s3://{new.bucket}/{new.path}/",
        StorageKind.FILE: f"rm -r {new.path}",
    }[new.kind]
    return f"delete what is there (`{command}`) and run this again."
