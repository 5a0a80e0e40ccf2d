"""Check the backup from the settings to a restored copy. Each check reports by itself, so none hides another."""

import asyncio
import os
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from dispinmap.backup.configuration.checking import check
from dispinmap.backup.configuration.effective import read_file, variables
from dispinmap.backup.copying import restore_checked
from dispinmap.backup.errors import BackupError, StorageUnreachable
from dispinmap.backup.freshness import MAX_LAG, compare, lag, staleness
from dispinmap.backup.inspection import Inspection, inspect_file
from dispinmap.backup.lease.open import lease_sentence, read_lease
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Configuration, LeaseRecord
from dispinmap.backup.place import BackupPlace, database_file, load_configuration, make_place
from dispinmap.backup.storage.open import open_store
from dispinmap.backup.storage.store import Store
from dispinmap.backup.versions import INSTALLED_BY_DEFAULT, refuse_mixed_formats
from dispinmap.clock import Clock
from dispinmap.database.revisions import head
from dispinmap.errors import DisPinMapError
from dispinmap.settings import BackupSettings

T = TypeVar("T")


class State(StrEnum):
    """The result of a check."""

    GOOD = "good"
    NOTE = "note"
    """Worth knowing, but no failure."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """A check before it failed."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check and its result."""

    name: str
    state: State
    sentence: str


async def validate(settings: BackupSettings, clock: Clock) -> list[Check]:
    """Check everything that a restore needs, restore to a temporary file and compare it with the live database.

    Changes nothing. Errors become failed checks.
    """
    validation = _Validation(settings, clock)
    await validation.run()
    return validation.checks


def is_good(checks: list[Check]) -> bool:
    return not any(check.state is State.FAILED for check in checks)


class _Validation:
    """One validation. Each step adds its checks, and returns what later steps need."""

    def __init__(self, settings: BackupSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._unreachable: set[str] = set()
        self.checks: list[Check] = []

    async def run(self) -> None:
        self._environment()
        live = await self._tried("database", self._database())
        litestream = await self._tried("litestream", self._litestream())
        configuration = await self._tried("configuration", self._configure(litestream))
        if configuration is None:
            self._skip("replica", "copy", because="no configuration says where the replica is")
            return
        store = open_store(configuration.replica)
        lease = await self._tried("lease", self._lease(configuration, store))
        await self._tried("replica", self._replica(configuration, store))
        if litestream is None:
            self._skip("copy", because="there is no Litestream to restore with")
            return
        if "replica" in self._unreachable:
            # Litestream would try for minutes, and we would run it three times.
            self._skip("copy", because="the storage does not answer")
            return
        place = make_place(configuration, litestream, self._clock, self._settings.lease_seconds)
        copy = await self._tried("copy", self._restore(place))
        if copy is None:
            self._skip("schema", "rows", "age", because="there is no good copy")
            return
        self._schema(copy)
        await self._rows(copy, live)
        self._age(copy, live, lease)

    def _environment(self) -> None:
        settings = self._settings
        named = {
            "LITESTREAM_CONFIG": settings.litestream_config,
            "LITESTREAM_REPLICA_URL": settings.litestream_replica_url,
            "LITESTREAM_BUCKET": settings.litestream_bucket,
        }
        given = [name for name, value in named.items() if value]
        if len(given) > 1:
            self._note("environment", f"{given[0]} is used, so {' and '.join(given[1:])} has no effect.")
        elif given:
            self._good("environment", f"{given[0]} says where the backup is.")
        else:
            self._fail("environment", f"None of {', '.join(named)} is set.")

    async def _database(self) -> Inspection | None:
        file = database_file(self._settings)
        if not file.is_file():
            self._note("database", f"There is no database at {file}: the next start restores it.")
            return None
        live = await asyncio.to_thread(inspect_file, file)
        if live.problems:
            raise BackupError(f"{file}: {' '.join(live.problems)}")
        self._good("database", f"{file} is whole, at {_stage(live)}.")
        return live

    async def _litestream(self) -> Litestream:
        litestream = await find_litestream(self._settings.litestream_bin, self._clock)
        self._good("litestream", f"{litestream.path} is Litestream {litestream.version}.")
        return litestream

    async def _configure(self, litestream: Litestream | None) -> Configuration:
        """If no Litestream is installed, we assume the one that is installed by default."""
        configuration = load_configuration(self._settings, litestream.format if litestream else INSTALLED_BY_DEFAULT)
        self._good("configuration", f"From {configuration.source}: {configuration.replica}.")
        if self._settings.litestream_config:
            text = read_file(self._settings.litestream_config)
            environ = variables(os.environ, configuration.database, self._settings.litestream_bucket)
            for finding in check(text, configuration.format, environ, configuration.database):
                self._note("configuration", str(finding))
        return configuration

    async def _lease(self, configuration: Configuration, store: Store) -> LeaseRecord | None:
        lease = await read_lease(configuration.replica, store)
        self._note("lease", lease_sentence(configuration.replica, lease, self._clock.now()))
        return lease

    async def _replica(self, configuration: Configuration, store: Store) -> None:
        await refuse_mixed_formats(configuration, store)
        objects = await store.list(configuration.replica.path)
        if not objects:
            raise BackupError(f"Nothing is stored at {configuration.replica}: no bot has replicated to it yet.")
        newest = self._clock.now() - max(each.updated_at for each in objects)
        self._good(
            "replica",
            f"{len(objects)} objects, {sum(each.size for each in objects):,} bytes; the newest is {age(newest)} old.",
        )

    async def _restore(self, place: BackupPlace) -> Inspection:
        folder = place.database.parent
        with TemporaryDirectory(prefix="dispinmap-validate-", dir=folder if folder.is_dir() else None) as temporary:
            file = Path(temporary) / place.database.name
            started = self._clock.monotonic()
            copy = await restore_checked(place, file, clock=self._clock, seconds=self._settings.restore_timeout_seconds)
            seconds = self._clock.monotonic() - started
            self._good(
                "copy",
                f"Restored and checked in {seconds:.1f} s: {file.stat().st_size:,} bytes, complete and consistent.",
            )
        return copy

    def _schema(self, copy: Inspection) -> None:
        self._good("schema", f"The copy is at {_stage(copy)}.")

    async def _rows(self, copy: Inspection, live: Inspection | None) -> None:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(copy.rows.items()) if count) or "no row at all"
        if live is None:
            self._note("rows", f"{counts}; there is no live database to compare with.")
            return
        now = await asyncio.to_thread(inspect_file, database_file(self._settings), integrity=False)
        looks = (now,) if self._at_rest(now) else (live, now)
        problems = compare(copy, *looks)
        but = ", except for what a running bot changes all the time" if compare(copy, now) else ""
        self._judge("rows", problems, f"As in the live database{but}: {counts}.")

    def _age(self, copy: Inspection, live: Inspection | None, lease: LeaseRecord | None) -> None:
        stale = staleness(copy, lease)
        problems = [each for each in (stale, lag(copy, live) if live else None) if each]
        if copy.heartbeat is None and not problems:
            self._note("age", "The copy has no heartbeat: it is from before the bot wrote one.")
            return
        old = self._clock.now() - copy.heartbeat.beat_at if copy.heartbeat else timedelta()
        idle = " No bot is writing to it right now." if self._at_rest(copy) else ""
        self._judge("age", problems, f"The copy's heartbeat is {age(old)} old.{idle}")

    def _at_rest(self, look: Inspection) -> bool:
        """Whether no bot is writing to that database right now."""
        return look.heartbeat is None or self._clock.now() - look.heartbeat.beat_at > MAX_LAG

    async def _tried(self, name: str, step: Awaitable[T]) -> T | None:
        try:
            return await step
        except (DisPinMapError, OSError) as error:
            if isinstance(error, StorageUnreachable):
                self._unreachable.add(name)
            self._fail(name, str(error))
            return None

    def _judge(self, name: str, problems: list[str], sentence: str) -> None:
        if problems:
            self._fail(name, " ".join(problems))
        else:
            self._good(name, sentence)

    def _fail(self, name: str, sentence: str) -> None:
        self.checks.append(Check(name, State.FAILED, sentence))

    def _good(self, name: str, sentence: str) -> None:
        self.checks.append(Check(name, State.GOOD, sentence))

    def _note(self, name: str, sentence: str) -> None:
        self.checks.append(Check(name, State.NOTE, sentence))

    def _skip(self, *names: str, because: str) -> None:
        self.checks += [Check(name, State.SKIPPED, f"Not checked, because {because}.") for name in names]


def _stage(copy: Inspection) -> str:
    return "the revision this version needs" if copy.revision == head() else f"{copy.revision}, which will be upgraded"


def age(span: timedelta) -> str:
    """A duration for people, such as "3 min" (pure)."""
    seconds = max(int(span.total_seconds()), 0)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
