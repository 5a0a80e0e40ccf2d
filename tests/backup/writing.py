"""A database that is written to, and the configuration that replicates it quickly."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from dispinmap.backup.models import Configuration, Format, Replica, StorageKind

INTERVAL = "50ms"


def configuration(replica: Replica, form: Format, database: Path) -> Configuration:
    """Like our own configuration, but with short intervals."""
    kind = "gs" if replica.kind is StorageKind.GCS and form is Format.V0_5 else str(replica.kind)
    section: dict[str, object] = {"type": kind, "path": replica.path, "sync-interval": INTERVAL}
    if replica.bucket:
        section["bucket"] = replica.bucket
    if replica.kind is StorageKind.S3:
        section |= {"endpoint": replica.endpoint, "region": replica.region, "force-path-style": True}
    where: dict[str, object] = {"replicas": [section]} if form is Format.V0_3 else {"replica": section}
    document = {"dbs": [{"path": str(database), "monitor-interval": INTERVAL, **where}]}
    return Configuration(form, database, replica, document)


class Rows:
    """A table of numbers, written like the bot writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, words TEXT)")

    def write(self, number: int = 1) -> None:
        """Add this many rows, each in its own transaction."""
        for _ in range(number):
            self._connection.execute("INSERT INTO rows (words) VALUES (hex(randomblob(200)))")


@contextmanager
def rows(database: Path) -> Iterator[Rows]:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        yield Rows(connection)


def count(database: Path) -> int:
    """The number of rows; fails if the database is damaged."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM rows").fetchone()[0])


def names(folder: Path, beginning: str = "") -> list[str]:
    """The names in a folder that begin with a prefix."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(beginning))
