"""Open the backup that the settings name."""

import os
from pathlib import Path

from dispinmap.backup.configuration.effective import configure
from dispinmap.backup.lease.open import open_lease
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.models import Configuration, Format
from dispinmap.backup.place import Place
from dispinmap.backup.storage.open import open_store
from dispinmap.clock import Clock
from dispinmap.database.backup import sqlite_file
from dispinmap.errors import SettingsError
from dispinmap.settings import BackupSettings


async def open_place(settings: BackupSettings, clock: Clock) -> Place:
    """The backup that these settings name. Raises SettingsError, LitestreamMissing."""
    litestream = await find_litestream(settings.litestream_bin, clock)
    configuration = load_configuration(settings, litestream.format)
    store = open_store(configuration.replica)
    return Place(
        configuration,
        litestream,
        store,
        open_lease(configuration.replica, store, clock, seconds=settings.lease_seconds),
    )


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
