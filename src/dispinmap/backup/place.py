"""One backup: its address, the tools that work on it, and what can be restored from it."""

import os
from dataclasses import dataclass
from pathlib import Path

from dispinmap.backup.configuration.effective import configure
from dispinmap.backup.errors import NoBackup
from dispinmap.backup.lease.lease import Lease
from dispinmap.backup.lease.open import open_lease
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Configuration, Format, RestorePoint
from dispinmap.backup.storage.open import open_store
from dispinmap.backup.storage.store import Store
from dispinmap.backup.versions import DIALECTS, refuse_mixed_formats
from dispinmap.clock import Clock
from dispinmap.database.copies import sqlite_file
from dispinmap.errors import SettingsError
from dispinmap.settings import BackupSettings


@dataclass(frozen=True, slots=True)
class BackupPlace:
    """The address of the backup, and the tools that work on it."""

    configuration: Configuration
    litestream: Litestream
    store: Store
    lease: Lease

    @property
    def database(self) -> Path:
        """The live database."""
        return self.configuration.database


async def open_place(settings: BackupSettings, clock: Clock) -> BackupPlace:
    """The backup that these settings name. Raises SettingsError, LitestreamMissing."""
    litestream = await find_litestream(settings.litestream_bin, clock)
    return make_place(load_configuration(settings, litestream.format), litestream, clock, settings.lease_seconds)


def make_place(configuration: Configuration, litestream: Litestream, clock: Clock, lease_seconds: float) -> BackupPlace:
    """The backup of this configuration; does not access the storage yet."""
    store = open_store(configuration.replica)
    lease = open_lease(configuration.replica, store, clock, seconds=lease_seconds)
    return BackupPlace(configuration, litestream, store, lease)


def load_configuration(settings: BackupSettings, version: Format) -> Configuration:
    """The configuration that these settings mean for that version of Litestream. Raises SettingsError."""
    configuration = configure(
        version,
        database=database_file(settings),
        bucket=settings.litestream_bucket,
        replica_url=settings.litestream_replica_url,
        file=settings.litestream_config,
        environ=os.environ,
    )
    if configuration is None:
        raise SettingsError(
            "Nothing says where the backup is to be: set LITESTREAM_BUCKET, LITESTREAM_REPLICA_URL or "
            "LITESTREAM_CONFIG (`dispinmap run` runs the bot without a backup)."
        )
    return configuration


def database_file(settings: BackupSettings) -> Path:
    """The file to replicate, with links resolved. Raises SettingsError if the database is not a file.

    SQLite keeps its log beside the file itself, but Litestream looks for it beside the name it is given.
    """
    file = sqlite_file(settings.database_url)
    if file is None:
        raise SettingsError(
            "SQLALCHEMY_URL does not name a file, and only a file can be backed up: write sqlite:////folder/file."
        )
    return file.resolve()


async def stored_points(place: BackupPlace, seconds: float) -> list[RestorePoint]:
    """Every state that can be restored, newest first; empty if nothing is stored.

    Raises NoBackup if something is stored but nothing can be restored, BackupError if the other Litestream wrote it,
    and StorageError. Litestream has `seconds` to answer.
    """
    replica = place.configuration.replica
    reader = DIALECTS[place.litestream.format].reader
    if reader is None:
        points = await place.litestream.points(place.configuration, seconds=seconds)
    else:
        points = await reader.points(place.store, replica)
    if points:
        return points
    await refuse_mixed_formats(place.configuration, place.store)
    if stored := await place.store.list(replica.path):
        raise NoBackup(
            f"{replica} holds {len(stored)} objects, but nothing that Litestream {place.litestream.version} can "
            "restore: bring back the missing objects (a bucket with versioning still has them)."
        )
    return []
