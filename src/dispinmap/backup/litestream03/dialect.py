"""Litestream 0.3. We follow the replica's position in its log.

Its metrics do not name the generation, and after a restart they have no position until the next write.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from dispinmap.backup.configuration.findings import Finding
from dispinmap.backup.litestream.dialect import Dialect, Line, Progress
from dispinmap.backup.litestream.documents import LOGGING
from dispinmap.backup.litestream03 import configuration as rules
from dispinmap.backup.litestream03.fetch import missing_pieces
from dispinmap.backup.litestream03.generations import restore_points
from dispinmap.backup.models import Configuration, Format, Replica, RestorePoint
from dispinmap.backup.storage.store import Store
from dispinmap.backup.threads import in_thread
from dispinmap.clock import Clock, SystemClock

NUDGE_AFTER: Final = timedelta(seconds=3)
_POSITION: Final = re.compile(r"([0-9a-f]{16})/([0-9a-f]{8}):(\d+)")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A position in the write-ahead logs. Only positions of the same generation can be compared."""

    generation: str
    index: int
    offset: int

    def holds(self, other: "Position") -> bool:
        """Whether a replica that ends here has everything up to `other`."""
        return self.generation == other.generation and self >= other


class Reader:
    """See `ReplicaReader`."""

    async def points(self, store: Store, replica: Replica) -> list[RestorePoint]:
        # Litestream lists only snapshots, although it can restore every upload.
        return restore_points(await store.list(replica.path))

    async def missing_pieces(self, store: Store, replica: Replica, at: datetime | None) -> list[str]:
        return await missing_pieces(store, replica, at=at)

    def further_arguments(self, points: Sequence[RestorePoint], at: datetime) -> list[str]:
        # The generation that ended with the state at `at`: 0.3 finds none itself if the bot was down at that time.
        ended = next((point.generation for point in points if point.created_at <= at), None)
        return ["-generation", ended] if ended else []


class Litestream03(Dialect):
    """Litestream 0.3."""

    format = Format.V0_3
    # The last 0.3. It logs JSON, with the lines that tell the position of the replica.
    oldest_patch = 13
    supported = f"0.3.{oldest_patch}"
    list_command = ("snapshots",)
    allows_checkpoints = True
    prunes_during_restore = False
    # Logged at each start on the same disk: it begins a new generation, because closing the database emptied the log.
    routine = frozenset({"init: cannot determine last wal position, clearing generation"})
    example = "litestream.yml"
    schema = rules.SCHEMA
    remarks = rules.REMARKS
    gcs_name = "gcs"
    path_in_bucket = "db"
    single_replica = False
    reads_url_parameters = False
    reader = Reader()

    def make_document(self, database: str, replica: Mapping[str, object], retention: str) -> dict[str, object]:
        settings = {**replica, "retention": retention, "snapshot-interval": rules.SNAPSHOT_INTERVAL}
        return {"dbs": [{"path": database, "replicas": [settings]}]}

    def with_defaults(self, document: dict[str, Any]) -> dict[str, Any]:
        document["dbs"][0]["replicas"][0].setdefault("snapshot-interval", rules.SNAPSHOT_INTERVAL)
        return document

    def check_replica(
        self, document: Mapping[str, object], replica: Mapping[str, object], where: str
    ) -> Iterator[Finding]:
        return rules.check_replica(document, replica, where)

    def document(self, configured: Mapping[str, object], folder: Path) -> dict[str, object]:  # noqa: ARG002 -- see Dialect
        # Only the debug log says when Litestream looks at the database, and the replica's position after a restart.
        return {**configured, "logging": {**LOGGING, "level": "debug"}}

    def points(self, answer: str) -> list[RestorePoint]:
        """Parse the table of `litestream snapshots`: replica, generation, index, size, created."""
        rows = (line.split() for line in answer.splitlines()[1:])
        return [
            RestorePoint(generation, f"{int(index):08x}", "snapshot", int(size), datetime.fromisoformat(created))
            for _, generation, index, size, created in rows
        ]

    def progress(self, configuration: Configuration, clock: Clock) -> Progress:  # noqa: ARG002 -- see Dialect
        # Not the injected clock: we compare with the times in Litestream's log.
        return LogProgress(configuration.database, SystemClock())


class LogProgress:
    """Compares the replica's position, from the log, with the end of the log copy that Litestream keeps beside the
    database.
    """

    def __init__(self, database: Path, clock: Clock) -> None:
        self._database = database
        self._folder = database.with_name(f".{database.name}-litestream")
        self._clock = clock
        self._news = asyncio.Event()
        self._nudge_at: datetime | None = None
        self._forget()

    def began(self, folder: Path) -> None:  # noqa: ARG002 -- it has no files of its own
        self._forget()

    def _forget(self) -> None:
        self._looking_since: datetime | None = None
        self._looked_at: datetime | None = None
        self._replica: Position | None = None

    def heard(self, line: Line) -> None:
        """Follow the log: "sync" is the start of a look at the database, "sync: ok" its end."""
        if line.said == "sync":
            self._looking_since = _moment(line)
        elif line.said == "sync: ok":
            self._looked_at = self._looking_since
        elif line.said == "replica sync: calc new pos":
            self._replica = _position(line, 0)
        elif line.said == "wal segment written":
            self._replica = _position(line, int(str(line.fields["sz"])))
        else:
            return
        self._news.set()
        self._news = asyncio.Event()

    async def caught_up(self, *, hurry: bool) -> None:  # noqa: ARG002 -- 0.3 cannot be asked to hurry
        # First wait for a look that began after this call, so that Litestream has seen everything committed before it.
        called = self._clock.now()
        await self._until(lambda: self._looked_at is not None and self._looked_at > called)
        goal: Position | None = None
        while goal is None or self._replica is None or not self._replica.holds(goal):
            copied = self._copied()
            if copied is not None and (goal is None or goal.generation != copied.generation):
                goal = copied
                continue
            await self._news.wait()
            await self._nudge_in_time()
        self._nudge_at = None

    async def _nudge_in_time(self) -> None:
        now = self._clock.now()
        if self._nudge_at is not None and now >= self._nudge_at:
            await in_thread(nudge, self._database)
            self._nudge_at = None
        self._nudge_at = self._nudge_at or now + NUDGE_AFTER

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            await self._news.wait()

    def _copied(self) -> Position | None:
        """The end of Litestream's own log copy, from which it uploads; None while it begins a generation."""
        try:
            generation = (self._folder / "generation").read_text().strip()
            last = max((self._folder / "generations" / generation / "wal").glob("*.wal"), default=None)
            return Position(generation, int(last.stem, 16), last.stat().st_size) if last else None
        except FileNotFoundError:
            return None


def nudge(database: Path) -> None:
    """Change the row in the database that Litestream itself changes when it needs a new commit.

    0.3 uploads only if it sees the write-ahead log grow between two looks. It misses a commit during a look, between
    measuring and copying, and retries a failed upload only after the next commit. Our commit makes it look again.
    """
    # It fails if a writer has locked the database, whose commit is as good as ours; or if another file has replaced the
    # database, which `RunningLitestream` notices.
    with (
        suppress(sqlite3.OperationalError),
        closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=1)) as connection,
        connection,
    ):
        connection.execute(
            "INSERT INTO _litestream_seq (id, seq) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET seq = seq + 1"
        )


def _moment(line: Line) -> datetime:
    return datetime.fromisoformat(str(line.fields["time"]))


def _position(line: Line, further: int) -> Position | None:
    found = _POSITION.fullmatch(str(line.fields["position"]))
    return Position(found[1], int(found[2], 16), int(found[3]) + further) if found else None
