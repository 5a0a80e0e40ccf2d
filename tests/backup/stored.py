"""A small replica, made once by the real Litestream, to put into any storage, complete or damaged."""

import re
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Format, Replica, StorageKind
from dispinmap.backup.storage.store import Store
from tests.backup.running import running
from tests.backup.writing import configuration

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BEATS = 6
ATTEMPTS = 5

Objects = Mapping[str, bytes]
"""By key below the replica's path, as a file replica has them."""


@dataclass(frozen=True)
class Stored:
    """A replica's objects, and the newest heartbeat in it."""

    objects: Objects
    last_beat_at: datetime


def beat(database: Path, beat_at: datetime, holder: str = "them") -> None:
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        connection.execute(
            "INSERT OR REPLACE INTO heartbeat (id, beat_at, holder) VALUES (1, ?, ?)",
            (beat_at.replace(tzinfo=None).isoformat(" ", "microseconds"), holder),
        )


async def replicated(litestream: Litestream, database: Path, folder: Path) -> Stored:
    """What `litestream` stores of a database that is written to for a while: a snapshot, and an object for each beat.

    Made again where there is another number of them: on a slow machine Litestream or our nudge writes something too.
    """
    for attempt in range(ATTEMPTS):
        copy = Path(shutil.copy(database, folder / f"{attempt}.db"))
        objects = await _beaten(litestream, copy, folder / f"replica-{attempt}")
        if len([name for name in objects if "/wal/" in name or name.startswith("ltx/0/")]) == BEATS:
            return Stored(objects, NOON + timedelta(minutes=BEATS - 1))
    raise AssertionError(f"in none of {ATTEMPTS} replicas each beat has an object of its own")


async def _beaten(litestream: Litestream, database: Path, folder: Path) -> Objects:
    settings = configuration(Replica(StorageKind.FILE, str(folder)), litestream.format, database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        async with running(litestream, settings) as replication:
            for number in range(BEATS):
                beat(database, NOON + timedelta(minutes=number))
                assert await replication.synced(60)
    # What 0.5 makes of its first objects a second after its start: where that was, damage to one of them is none.
    return {name: data for name, data in _files(folder).items() if not re.match(r"ltx/[1-9]/", name)}


def _files(folder: Path) -> Objects:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


async def put(objects: Objects, store: Store, replica: Replica, form: Format) -> None:
    """Store them as that replica's own."""
    for name, data in objects.items():
        await store.write(f"{replica.path}/{_key(name, replica, form)}", data, replacing=None)


def _key(name: str, replica: Replica, form: Format) -> str:
    """0.5 names its levels differently on S3."""
    if form is Format.V0_3 or replica.kind is not StorageKind.S3:
        return name
    _, level, file = name.split("/")
    return f"{int(level):04}/{file}"


def snapshots(objects: Objects) -> list[str]:
    """Their names; 0.5 has none while its first transaction is there, which is as good as one."""
    first = "ltx/0/0000000000000001-0000000000000001.ltx"
    return sorted(name for name in objects if "/snapshots/" in name or name.startswith("ltx/9/") or name == first)


def changes(objects: Objects) -> list[str]:
    return sorted(objects.keys() - set(snapshots(objects)))


def without(objects: Objects, name: str) -> Objects:
    return {each: data for each, data in objects.items() if each != name}


def changed(objects: Objects, name: str, change: Callable[[bytes], bytes]) -> Objects:
    return {**objects, name: change(objects[name])}


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def halved(data: bytes) -> bytes:
    return data[: len(data) // 2]
