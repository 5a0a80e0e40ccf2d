"""From 0.3 to 0.5 with the real binaries, and what must stop it."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispinmap.backup.configuration.effective import make_configuration
from dispinmap.backup.configuration.locations import parse_replica_url
from dispinmap.backup.errors import BackupError, LeaseLost, LitestreamMissing, NoBackup, RestoreFailed
from dispinmap.backup.inspection import read_heartbeat
from dispinmap.backup.lease.open import open_lease, read_lease
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.litestream03.formats import refuse_mixed_formats
from dispinmap.backup.litestream03.upgrade_format import both_paths, difference, upgrade_format
from dispinmap.backup.models import Configuration, Format, Replica, StorageKind
from dispinmap.backup.place import BackupPlace, make_place
from dispinmap.backup.storage.open import open_store
from dispinmap.cli.backup.litestream03 import what_to_set
from dispinmap.clock import SystemClock
from dispinmap.settings import BackupSettings
from tests.backup.conftest import BINARIES, StoragePlace
from tests.backup.fake_litestream import FakeLitestream
from tests.backup.original import replicate_once
from tests.migrations import legacy

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE_SECONDS = 30.0


async def a_place(replica: Replica, database: Path) -> BackupPlace:
    """The place as the settings mean it with Litestream 0.5."""
    clock = SystemClock()
    litestream = await find_litestream(BINARIES[Format.V0_5], clock)
    return make_place(make_configuration(Format.V0_5, database, replica, "a test"), litestream, clock, LEASE_SECONDS)


def new_path(old: Replica) -> Replica:
    return replace(old, path=f"{old.path}-v5")


def change(database: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(sql, values)


def beat(database: Path, at: datetime) -> None:
    change(database, "INSERT OR REPLACE INTO heartbeat (id, beat_at, holder) VALUES (1, ?, 'us')", f"{at:%F %T}.000000")


async def replicate(replica: Replica, database: Path) -> None:
    """A backup of 0.3 after a clean stop."""
    await replicate_once(replica, database)
    lease = open_lease(replica, open_store(replica), SystemClock(), seconds=LEASE_SECONDS)
    assert await lease.try_acquire() is None
    heartbeat = read_heartbeat(database)
    await lease.record(writer="us", heartbeat_at=heartbeat.beat_at if heartbeat else None)
    await lease.release()


def fill(database: Path) -> Path:
    """A heartbeat and some rows."""
    beat(database, NOON)
    change(database, "INSERT INTO channel_configs (channel_id, guild_id) VALUES (1, 2), (3, 2)")
    return database


@pytest.fixture
def head_file(database_file: Path) -> Path:
    return fill(database_file)


@pytest.fixture(scope="session")
def backup_folder(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Path:
    """A database and its 0.3 backup in `replica/db`, for copies."""
    folder = tmp_path_factory.mktemp("backup")
    database = fill(Path(shutil.copy(migrated_file, folder / "kept.db")))
    (folder / "replica").mkdir()
    asyncio.run(replicate(Replica(StorageKind.FILE, str(folder / "replica" / "db")), database))
    return folder


@pytest.fixture
async def ready(tmp_path: Path, backup_folder: Path) -> BackupPlace:
    """The place after the disk was lost and Litestream 0.5 installed; `kept.db` was on the disk."""
    shutil.copytree(backup_folder / "replica", tmp_path / "replica")
    shutil.copy(backup_folder / "kept.db", tmp_path)
    replica = Replica(StorageKind.FILE, str(tmp_path / "replica" / "db"))
    return await a_place(replica, tmp_path / "pinball_bot.db")


async def assert_nothing_was_written(place: BackupPlace) -> None:
    new = new_path(place.configuration.replica)
    assert await place.store.list(new.path) == []
    lease = await read_lease(place.configuration.replica, place.store)
    assert lease is not None
    assert lease.released


async def test_the_new_path_holds_the_same_and_the_old_one_stays(
    place: StoragePlace, head_file: Path, tmp_path: Path
) -> None:
    await replicate(place.replica, head_file)
    new_place = await a_place(place.replica, head_file)
    before = await new_place.store.list(place.replica.path)
    upgraded = await upgrade_format(new_place)
    assert (upgraded.old, upgraded.new) == (place.replica, new_path(place.replica))
    assert await new_place.store.list(upgraded.old.path) == before
    assert {Path(one.key).suffix for one in await new_place.store.list(upgraded.new.path)} == {".ltx"}
    restored = tmp_path / "restored.db"
    await new_place.litestream.restore(make_configuration(Format.V0_5, head_file, upgraded.new, "a test"), restored)
    assert difference(head_file, restored) is None
    lease = await read_lease(upgraded.new, new_place.store)
    assert lease is not None
    assert (lease.writer, lease.heartbeat_at, lease.released) == ("us", NOON, True)


async def test_the_original_bots_backup_goes_over_as_it_is(tmp_path: Path) -> None:
    file = legacy.create(tmp_path / "legacy.db")
    replica = Replica(StorageKind.FILE, str(tmp_path / "db"))
    await replicate(replica, file)
    upgraded = await upgrade_format(await a_place(replica, file))
    assert upgraded.copy.rows["monitoring_targets"] == len(legacy.TARGETS)


async def test_it_waits_for_no_bot_that_runs(ready: BackupPlace) -> None:
    replica = ready.configuration.replica
    bot = open_lease(replica, ready.store, SystemClock(), seconds=LEASE_SECONDS)
    await bot.try_acquire()
    try:
        with pytest.raises(LeaseLost):
            await upgrade_format(ready)
    finally:
        await bot.release()
    await assert_nothing_was_written(ready)


async def test_a_new_path_that_holds_something_else_is_left_alone(ready: BackupPlace) -> None:
    new = new_path(ready.configuration.replica)
    await ready.store.write(f"{new.path}/something", b"theirs", replacing=None)
    with pytest.raises(RestoreFailed, match=r"is not proven: delete what is there \(`rm -r .*/db-v5`\)"):
        await upgrade_format(ready)
    assert len(await ready.store.list(new.path)) == 1


async def test_an_interrupted_or_repeated_upgrade_only_proves(
    ready: BackupPlace,
) -> None:
    once = await upgrade_format(ready)
    stored = await ready.store.list(once.new.path)
    assert (await upgrade_format(ready)).new == once.new
    assert await ready.store.list(once.new.path) == stored


async def test_after_a_bot_used_0_5_nothing_is_left_to_do(ready: BackupPlace, tmp_path: Path) -> None:
    newer = Path(shutil.copy(tmp_path / "kept.db", tmp_path / "newer.db"))
    beat(newer, NOON + timedelta(minutes=1))
    new = new_path(ready.configuration.replica)
    await ready.litestream.replicate_once(make_configuration(Format.V0_5, newer, new, "a test"))
    await ready.lease.try_acquire()
    await ready.lease.record(heartbeat_at=NOON + timedelta(minutes=1))
    await ready.lease.release()
    with pytest.raises(BackupError, match=r"A bot already uses .*/db-v5, .* nothing is left to do"):
        await upgrade_format(ready)


async def test_a_0_3_backup_at_a_v5_path_goes_to_the_path_beside_it(tmp_path: Path, head_file: Path) -> None:
    replica = Replica(StorageKind.FILE, str(tmp_path / "db-v5"))
    await replicate(replica, head_file)
    place = await a_place(replica, head_file)
    with pytest.raises(BackupError, match=r"run `dispinmap backup upgrade-format`, which takes it to .*/db-v5-v5 "):
        await refuse_mixed_formats(place.configuration, place.store)
    upgraded = await upgrade_format(place)
    assert (upgraded.old, upgraded.new) == (replica, new_path(replica))
    then = await a_place(upgraded.new, head_file)
    await refuse_mixed_formats(then.configuration, then.store)
    lease = await read_lease(upgraded.new, then.store)
    assert lease is not None
    assert lease.writer == "us"
    back = make_configuration(Format.V0_3, head_file, replica, "a test")
    with pytest.raises(BackupError, match="silently restore an older state"):
        await refuse_mixed_formats(back, place.store)


async def test_without_a_backup_of_0_3_there_is_nothing_to_do(tmp_path: Path, head_file: Path) -> None:
    place = await a_place(Replica(StorageKind.FILE, str(tmp_path / "db")), head_file)
    with pytest.raises(NoBackup, match=r"holds no replica of Litestream 0\.3"):
        await upgrade_format(place)


async def test_with_litestream_0_3_it_says_what_to_install(ready: BackupPlace) -> None:
    old = replace(ready, litestream=await find_litestream(BINARIES[Format.V0_3], SystemClock()))
    with pytest.raises(LitestreamMissing, match=r"0\.3\.13 is installed: install dispinmap\[litestream05\]"):
        await upgrade_format(old)


async def test_a_backup_that_lacks_the_last_heartbeat_it_held_is_refused(ready: BackupPlace) -> None:
    await ready.lease.try_acquire()
    await ready.lease.record(heartbeat_at=NOON + timedelta(seconds=30))
    await ready.lease.release()
    with pytest.raises(RestoreFailed, match=r"already held everything up to 2026-03-01 12:00:30 UTC"):
        await upgrade_format(ready)
    await assert_nothing_was_written(ready)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(seconds=30)])
async def test_a_local_database_that_has_more_than_the_backup_is_refused(
    ready: BackupPlace, tmp_path: Path, later: timedelta
) -> None:
    local = Path(shutil.copy(tmp_path / "kept.db", ready.configuration.database))
    beat(local, NOON + later)
    change(local, "INSERT INTO channel_configs (channel_id, guild_id) VALUES (5, 2)")
    with pytest.raises(RestoreFailed, match=r"holds something that the backup does not.* Litestream 0\.3 once more"):
        await upgrade_format(ready)
    await assert_nothing_was_written(ready)


async def test_a_local_database_from_before_the_backup_does_not_matter(ready: BackupPlace, tmp_path: Path) -> None:
    beat(Path(shutil.copy(tmp_path / "kept.db", ready.configuration.database)), NOON - timedelta(seconds=30))
    await upgrade_format(ready)


class Replicating(FakeLitestream):
    """Writes to the new path, and at the same time to `old` if given."""

    def __init__(self, outcomes: list[Path | Exception], *, old: Path | None = None) -> None:
        super().__init__(Format.V0_5, outcomes)
        self._old = old

    async def replicate_once(self, configuration: Configuration, *, seconds: float = 120.0) -> None:  # noqa: ARG002 -- the protocol's
        await open_store(configuration.replica).write(f"{configuration.replica.path}/new", b"", replacing=None)
        if self._old is not None:
            shutil.copy(self._old, self._old.with_name(f"{10**7}_00000000.wal.lz4"))


async def test_a_failed_proof_says_so_and_deletes_nothing(ready: BackupPlace, tmp_path: Path) -> None:
    other = Path(shutil.copy(tmp_path / "kept.db", tmp_path / "other.db"))
    change(other, "UPDATE channel_configs SET guild_id = 3 WHERE channel_id = 1")
    with pytest.raises(RestoreFailed, match=r"does not give back .*channel_configs.* is not proven: delete what is"):
        await upgrade_format(replace(ready, litestream=Replicating([other])))
    new = new_path(ready.configuration.replica)
    assert len(await ready.store.list(new.path)) == 1


async def test_a_restore_that_fails_is_no_proof(ready: BackupPlace) -> None:
    with pytest.raises(RestoreFailed, match=r"No\. The new format is not proven"):
        await upgrade_format(replace(ready, litestream=Replicating([NoBackup("No.")])))


async def test_somebody_who_goes_on_writing_to_the_old_path_is_noticed(ready: BackupPlace, tmp_path: Path) -> None:
    segment = next(
        Path(one.key) for one in await ready.store.list(ready.configuration.replica.path) if "/wal/" in one.key
    )
    litestream = Replicating([tmp_path / "kept.db"], old=segment)
    with pytest.raises(BackupError, match=r"A bot is still writing to .*: stop that bot, then delete what is there"):
        await upgrade_format(replace(ready, litestream=litestream))


@pytest.mark.parametrize("named", ["db", "db-v5"])
async def test_either_path_names_both(ready: BackupPlace, named: str) -> None:
    old = ready.configuration.replica
    replica = replace(old, path=str(Path(old.path).with_name(named)))
    assert await both_paths(replica, ready.store) == (old, new_path(old))
    assert replica.lease_path == old.lease_path


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"litestream_bucket": "b"}, "There is nothing to set"),
        ({"litestream_replica_url": "gcs://bb/db"}, "set LITESTREAM_REPLICA_URL=gcs://bb/db-v5 and"),
        ({"litestream_replica_url": "file:///replica/db-v5"}, "set LITESTREAM_REPLICA_URL=file:///replica/db-v5 and"),
        ({"litestream_replica_url": "/replica/db/"}, "set LITESTREAM_REPLICA_URL=/replica/db-v5 and"),
        ({"litestream_replica_url": "/my replica/db"}, "set LITESTREAM_REPLICA_URL=/my replica/db-v5 and"),
        ({"litestream_replica_url": "file:///a%20b/db"}, "set LITESTREAM_REPLICA_URL=file:///a%20b/db-v5 and"),
        (
            {"litestream_replica_url": "s3://bb/db?endpoint=http://127.0.0.1:1&region=r", "litestream_bucket": "b"},
            "set LITESTREAM_REPLICA_URL=s3://bb/db-v5?endpoint=http://127.0.0.1:1&region=r and",
        ),
        ({"litestream_config": Path("my.yml")}, "path in my.yml to b/db-v5 and"),
    ],
)
def test_it_says_what_to_set(settings: dict[str, str], sentence: str) -> None:
    url = settings.get("litestream_replica_url")
    old = parse_replica_url(url) if url else Replica(StorageKind.GCS, "b/db", "bucket")
    assert sentence in what_to_set(
        BackupSettings.of({name: str(value) for name, value in settings.items()}),
        replace(old, path=f"{old.path.removesuffix('-v5')}-v5"),
    )


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM channel_configs WHERE channel_id = 3",
        "INSERT INTO channel_configs (channel_id, guild_id) VALUES (9, 2)",
        "UPDATE heartbeat SET holder = 'them'",
        "CREATE INDEX another ON channel_configs (guild_id)",
        "DROP TABLE drills",
    ],
)
def test_any_difference_in_rows_or_schema_is_seen(head_file: Path, tmp_path: Path, sql: str) -> None:
    other = Path(shutil.copy(head_file, tmp_path / "other.db"))
    assert difference(head_file, other) is None
    change(other, sql)
    assert difference(head_file, other) is not None


def test_litestreams_own_tables_are_no_difference(head_file: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(head_file, tmp_path / "other.db"))
    change(other, "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")
    change(other, "INSERT INTO _litestream_seq VALUES (1, 7)")
    assert difference(head_file, other) is None


def test_text_that_is_no_utf_8_can_be_compared(head_file: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(head_file, tmp_path / "other.db"))
    for file, value in ((head_file, b"\xff"), (other, b"\xfe")):
        change(file, "UPDATE heartbeat SET holder = CAST(? AS TEXT)", value)
    assert difference(head_file, head_file) is None
    assert difference(head_file, other) == 'They differ in: INSERT INTO "heartbeat".'


def test_a_file_that_is_no_database_is_not_the_same(head_file: Path, tmp_path: Path) -> None:
    (tmp_path / "other.db").write_text("no database" * 100)
    assert difference(head_file, tmp_path / "other.db") == "They cannot be compared (file is not a database)."
