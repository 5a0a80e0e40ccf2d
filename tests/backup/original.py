"""Replicas as the original bot makes them: by the real Litestream 0.3, with everything in it made faster."""

import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

from dispinmap.backup.configuration.effective import make_configuration
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.models import Format, Replica, StorageKind
from dispinmap.clock import SystemClock
from tests.backup.conftest import BINARIES

LITESTREAM = BINARIES[Format.V0_3]
DEADLINE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Original:
    """One database and its replica; `folder` also gets the configuration."""

    database: Path
    replica: Replica
    folder: Path
    sync_interval: str = "100ms"
    snapshot_interval: str = "1h"
    """With less, the crash can come between a snapshot and its log, and Litestream may restore a torn snapshot."""
    retention: str = "1h"
    retention_check: str = "1h"
    """With less, Litestream may store the first snapshot again after some of the log."""

    @property
    def config(self) -> Path:
        path = self.folder / "litestream-0.3.json"
        replica = {
            "type": str(self.replica.kind),
            "path": self.replica.path,
            "sync-interval": self.sync_interval,
            "snapshot-interval": self.snapshot_interval,
            "retention": self.retention,
            "retention-check-interval": self.retention_check,
        }
        if self.replica.bucket:
            replica["bucket"] = self.replica.bucket
        if self.replica.kind is StorageKind.S3:
            replica |= {"endpoint": self.replica.endpoint or "", "region": "us-east-1"}
        database = {
            "path": str(self.database),
            "monitor-interval": self.sync_interval,
            "checkpoint-interval": "250ms",
            "replicas": [replica | ({"force-path-style": True} if self.replica.force_path_style else {})],
        }
        # JSON is YAML.
        path.write_text(json.dumps({"dbs": [database]}))
        return path

    def create(self) -> None:
        """A database like the original bot's, with an index that does not match in a torn copy."""
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(
                "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT); CREATE INDEX i ON things(name)"
            )

    @contextmanager
    def replicating(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Run Litestream, and kill it at the end like a crash."""
        command = (LITESTREAM, "replicate", "-config", self.config)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def replicate(self, logs: int = 2) -> None:
        """Write and replicate until this many logs are complete, then kill both."""
        with self.replicating(), writing(self.database):
            wait_until(lambda: self.log() >= logs)

    def forget(self) -> None:
        """Start over as in a new container: Litestream begins another generation, with a random name."""
        shutil.rmtree(self._state)
        if self.replica.kind is StorageKind.S3:
            # If two generations end in the same second, no one can tell which is newer.
            second = int(time.time())
            wait_until(lambda: time.time() >= second + 1)

    @property
    def _state(self) -> Path:
        return self.database.with_name(f".{self.database.name}-litestream")

    def log(self) -> int:
        """The index of the log that Litestream reads now."""
        return max((int(each.stem, 16) for each in self._state.glob("generations/*/wal/*.wal")), default=0)

    def restore(self, target: Path, *, at: datetime | None = None) -> bool:
        """Litestream's own restore; returns whether it reported success."""
        when = () if at is None else ("-timestamp", at.isoformat().replace("+00:00", "Z"))
        command = (LITESTREAM, "restore", "-config", self.config, "-o", target, *when, self.database)
        done = subprocess.run(command, capture_output=True, timeout=DEADLINE_SECONDS, check=False)
        return done.returncode == 0


async def replicate_once(replica: Replica, database: Path) -> None:
    """The content of the database."""
    litestream = await find_litestream(LITESTREAM, SystemClock())
    await litestream.replicate_once(make_configuration(Format.V0_3, database, replica, "a test"))


@contextmanager
def writing(database: Path) -> Iterator[list[int]]:
    """Insert and delete all the time; yields the number of transactions so far."""
    done = Event()
    count = [0]

    def write() -> None:
        with closing(sqlite3.connect(database, timeout=DEADLINE_SECONDS, isolation_level=None)) as connection:
            while not done.wait(0.004):
                connection.execute("INSERT INTO things (name) VALUES (?)", (os.urandom(40).hex(),))
                count[0] += 1
                if count[0] % 7 == 0:
                    connection.execute("DELETE FROM things WHERE id = ?", (count[0] // 2,))

    thread = Thread(target=write)
    thread.start()
    try:
        yield count
    finally:
        done.set()
        thread.join()


def wait_until(there: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not there():
        assert time.monotonic() < deadline, "it did not come about in time"
        # Leave the two cores to the processes that we wait for.
        time.sleep(0.01)


def contents(database: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute("SELECT id, name FROM things ORDER BY id").fetchall()
