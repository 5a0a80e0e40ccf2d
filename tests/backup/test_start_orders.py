"""The order in which `dispinmap start` does things, above all when it stops: the real bot with a recording backup."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from dispinmap import start
from dispinmap.alerts import alarm
from dispinmap.backup.errors import LeaseExpired, LeaseLost, RestoreFailed
from dispinmap.backup.inspection import read_heartbeat
from dispinmap.backup.models import LeaseRecord
from dispinmap.backup.storage.store import StoredObject
from dispinmap.clock import SystemClock
from dispinmap.database.engine import Database
from dispinmap.database.errors import DatabaseError
from dispinmap.errors import SettingsError
from dispinmap.secret import Secret
from dispinmap.settings import Settings
from dispinmap.start import STOP_SECONDS
from dispinmap_sandbox.services import EmbeddedServices, embedded_services
from tests.backup.recording_place import Diary, Recorded, RecordingLitestream
from tests.fakes.webhook import open_webhook

PATIENCE = 60
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE = LeaseRecord("before", "there", LONG_AGO, 60, True, "before", LONG_AGO)


@pytest.fixture
async def services() -> AsyncIterator[EmbeddedServices]:
    async with embedded_services(SystemClock()) as services:
        yield services


@pytest.fixture
def settings(services: EmbeddedServices, database_file: Path) -> Settings:
    return services.settings(f"sqlite:///{database_file}")


@pytest.fixture
def diary(services: EmbeddedServices) -> Diary:
    return Diary(lambda: ", in Discord" if services.discord.connected else ", not in Discord")


@pytest.fixture
async def recorded(database_file: Path, diary: Diary) -> Recorded:
    """A backup that no bot has held before."""
    return Recorded(database_file, diary, None)


@asynccontextmanager
async def _launched(recorded: Recorded, settings: Settings) -> AsyncIterator[asyncio.Task[None]]:
    launch = start._Launch(settings, SystemClock(), recorded.place, allow_empty=False)
    task = asyncio.create_task(launch.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE)


async def _connected(recorded: Recorded, services: EmbeddedServices) -> None:
    await asyncio.wait_for(recorded.replication.up.wait(), PATIENCE)
    await services.discord.wait_connected(PATIENCE)


async def _ended(task: asyncio.Task[None]) -> None:
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    assert done


async def test_a_stop_leaves_discord_syncs_ends_litestream_and_releases_the_lease(
    services: EmbeddedServices, settings: Settings, database_file: Path, diary: Diary, recorded: Recorded
) -> None:
    async with _launched(recorded, settings) as task:
        await _connected(recorded, services)
        task.cancel()
        await _ended(task)
        assert task.cancelled()
    assert diary.entries == [
        "lease acquired, not in Discord",
        "lease signed, not in Discord",
        "litestream up, not in Discord",
        "synced, not in Discord",
        "heartbeat noted, not in Discord",
        "litestream stopped, not in Discord",
        "lease released, not in Discord",
    ]
    last = read_heartbeat(database_file)
    assert last is not None
    assert (last.holder, last.beat_at) == ("us", recorded.lease.heartbeat_at)


async def test_a_second_cancellation_does_not_interrupt_the_stop(
    services: EmbeddedServices, settings: Settings, diary: Diary, recorded: Recorded
) -> None:
    async with _launched(recorded, settings) as task:
        await _connected(recorded, services)
        recorded.replication.reachable.clear()
        task.cancel()
        await asyncio.wait_for(recorded.replication.syncing.wait(), PATIENCE)
        task.cancel()
        await asyncio.sleep(0)
        recorded.replication.reachable.set()
        await _ended(task)
    assert diary.before("synced", "litestream stopped")
    assert diary.before("litestream stopped", "lease released")
    assert "litestream killed" not in str(diary.entries)


async def test_sigterm_while_a_failed_bot_stops_by_itself_lets_it_finish(
    settings: Settings, diary: Diary, recorded: Recorded
) -> None:
    recorded.replication.reachable.clear()
    async with _launched(recorded, replace(settings, discord_token=_other_token(settings))) as task:
        await asyncio.wait_for(recorded.replication.syncing.wait(), PATIENCE)
        task.cancel()
        await asyncio.sleep(0)
        recorded.replication.reachable.set()
        await _ended(task)
    assert diary.before("synced", "litestream stopped")
    assert diary.before("litestream stopped", "lease released")


async def test_a_bot_that_cannot_serve_syncs_and_releases_before_it_fails(
    settings: Settings, diary: Diary, recorded: Recorded
) -> None:
    async with _launched(recorded, replace(settings, discord_token=_other_token(settings))) as task:
        with pytest.raises(SettingsError, match="DISCORD_TOKEN was refused"):
            await asyncio.wait_for(task, PATIENCE)
    assert [entry.partition(",")[0] for entry in diary.entries[-4:]] == [
        "synced",
        "heartbeat noted",
        "litestream stopped",
        "lease released",
    ]


async def test_a_lost_lease_kills_litestream_first_and_syncs_nothing(
    services: EmbeddedServices, settings: Settings, diary: Diary, recorded: Recorded
) -> None:
    async with _launched(recorded, settings) as task:
        await _connected(recorded, services)
        recorded.lease.end.set_exception(LeaseLost("Another bot holds it."))
        with pytest.raises(LeaseLost):
            await asyncio.wait_for(task, PATIENCE)
    assert diary.entries[3:] == ["litestream killed, in Discord", "lease released, not in Discord"]


async def test_a_lease_that_expires_during_the_last_sync_kills_litestream(
    services: EmbeddedServices, settings: Settings, diary: Diary, recorded: Recorded
) -> None:
    async with _launched(recorded, settings) as task:
        await _connected(recorded, services)
        recorded.replication.reachable.clear()
        task.cancel()
        await asyncio.wait_for(recorded.replication.syncing.wait(), PATIENCE)
        recorded.lease.end.set_exception(LeaseExpired("The storage does not answer."))
        await diary.has("litestream killed")
        recorded.replication.reachable.set()
        await _ended(task)
    assert diary.before("litestream killed", "lease released")


async def test_a_regained_lease_continues_with_the_same_database(
    services: EmbeddedServices, settings: Settings, database_file: Path, diary: Diary
) -> None:
    recorded = Recorded(database_file, diary, BEFORE)
    _write_heartbeat(database_file, "crashed before it signed", "before")
    async with _launched(recorded, settings) as task:
        for times in range(2):
            await _connected(recorded, services)
            assert str(diary.entries).count("litestream up") == times + 1
            assert not list(database_file.parent.glob("*.set-aside-*"))
            if not times:
                recorded.replication.up.clear()
                recorded.lease.end.set_exception(LeaseExpired("The storage does not answer."))
        task.cancel()
        await _ended(task)
    assert diary.before("litestream killed", "lease regained")
    assert str(diary.entries).count("lease released") == 1


async def test_the_operator_is_alerted_while_an_expired_lease_cannot_be_renewed(
    services: EmbeddedServices, settings: Settings, monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    monkeypatch.setattr(alarm, "PATIENCE", timedelta(0))
    async with open_webhook() as webhook:
        settings = replace(settings, operator_webhook_url=Secret(webhook.url))
        async with _launched(recorded, settings):
            await _connected(recorded, services)
            recorded.lease.renewable.clear()
            recorded.lease.end.set_exception(LeaseExpired("The storage does not answer."))
            await webhook.heard("⚠ DisPinMap, lease: The lease could not be renewed in time")
            recorded.lease.renewable.set()
            await webhook.heard("✓ DisPinMap, lease: all is well again.")
            await services.discord.wait_connected(PATIENCE)


async def test_a_lease_that_expires_before_the_bot_is_loaded_is_regained(
    services: EmbeddedServices,
    settings: Settings,
    diary: Diary,
    monkeypatch: pytest.MonkeyPatch,
    recorded: Recorded,
) -> None:
    loading = threading.Event()

    def load(name: str) -> object:
        assert loading.wait(PATIENCE)
        return import_module(name)

    monkeypatch.setattr(start, "import_module", load)
    async with _launched(recorded, settings):
        await diary.has("litestream up")
        recorded.lease.end.set_exception(LeaseExpired("The process stood still."))
        await diary.has("lease regained")
        loading.set()
        await _connected(recorded, services)


async def test_the_signature_is_retried_before_anything_is_replicated(
    services: EmbeddedServices, settings: Settings, diary: Diary, monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    monkeypatch.setattr(start, "SIGN_PAUSE_SECONDS", 0)
    recorded.lease.unanswered = 2
    async with _launched(recorded, settings):
        await _connected(recorded, services)
        assert diary.before("lease signed", "litestream up")
        assert recorded.lease.writer == "us"


async def test_starts_killed_before_they_sign_keep_the_database(settings: Settings, database_file: Path) -> None:
    _write_heartbeat(database_file, "before", None)
    for holder in ("first", "second", "third"):
        recorded = Recorded(database_file, Diary(), BEFORE, holder)
        recorded.lease.unanswered = 1
        async with _launched(recorded, settings) as task:
            await recorded.diary.has("signature lost")
            task.cancel()
            await _ended(task)
        assert recorded.diary.entries == ["lease acquired", "signature lost", "lease released"]
        found = read_heartbeat(database_file)
        assert found is not None
        assert (found.holder, found.previous_holder) == (holder, "before")
    assert not list(database_file.parent.glob("*.set-aside-*"))


async def test_a_slow_clock_does_not_make_our_own_copy_look_old(
    services: EmbeddedServices, settings: Settings, database_file: Path, diary: Diary
) -> None:
    ahead = datetime(2126, 1, 1, tzinfo=UTC)
    recorded = Recorded(database_file, diary, replace(BEFORE, heartbeat_at=ahead))
    _write_heartbeat(database_file, "before", None, ahead)
    async with _launched(recorded, settings):
        await _connected(recorded, services)
        found = read_heartbeat(database_file)
        assert found is not None
        assert recorded.lease.heartbeat_at == found.beat_at < ahead


async def test_a_disk_that_was_rolled_back_is_not_taken_for_the_newest(settings: Settings, database_file: Path) -> None:
    _write_heartbeat(database_file, "before", None, LONG_AGO)
    recorded = Recorded(database_file, Diary(), replace(BEFORE, heartbeat_at=datetime(2026, 1, 2, tzinfo=UTC)))
    async with _launched(recorded, settings) as task:
        with pytest.raises(RestoreFailed, match="now nothing is there"):
            await asyncio.wait_for(task, PATIENCE)
    assert recorded.diary.entries == ["lease acquired", "lease released"]
    assert list(database_file.parent.glob("*.set-aside-*"))


@pytest.mark.parametrize(("bears", "pages"), [(True, 1000), (False, 0)])
async def test_sqlite_checkpoints_where_litestream_bears_it(
    services: EmbeddedServices,
    settings: Settings,
    recorded: Recorded,
    monkeypatch: pytest.MonkeyPatch,
    bears: bool,  # noqa: FBT001 -- pytest passes it
    pages: int,
) -> None:
    opened: list[Database] = []

    class Noted(Database):
        def __init__(self, url: str, *, checkpoints: bool = True) -> None:
            super().__init__(url, checkpoints=checkpoints)
            opened.append(self)

    monkeypatch.setattr(start, "Database", Noted)
    monkeypatch.setattr(RecordingLitestream, "allows_checkpoints", bears)
    async with _launched(recorded, settings):
        await _connected(recorded, services)
        async with opened[0].read() as session:
            assert await session.scalar(text("PRAGMA wal_autocheckpoint")) == pages


async def test_a_database_from_elsewhere_does_not_replace_a_backup(
    settings: Settings, database_file: Path, recorded: Recorded
) -> None:
    _write_heartbeat(database_file, "a trial, with its backup in another place", None)
    recorded.store.objects = [StoredObject("db/generations/0123456789abcdef/snapshots/0", 1, LONG_AGO, "1")]
    async with _launched(recorded, settings) as task:
        with pytest.raises(RestoreFailed, match="and nothing says that it is "):
            await asyncio.wait_for(task, PATIENCE)
    assert [entry.partition(",")[0] for entry in recorded.diary.entries] == ["lease acquired", "lease released"]
    assert not list(database_file.parent.glob("*.set-aside-*"))


async def test_a_database_with_its_backup_elsewhere_is_not_replaced_by_an_older_one(
    settings: Settings, database_file: Path
) -> None:
    _write_heartbeat(database_file, "another run", "and one before it", LONG_AGO + timedelta(days=1))
    recorded = Recorded(database_file, Diary(), BEFORE)
    async with _launched(recorded, settings) as task:
        with pytest.raises(RestoreFailed, match="its backup is in another place and what is here is older"):
            await asyncio.wait_for(task, PATIENCE)
    assert not list(database_file.parent.glob("*.set-aside-*"))


async def test_starts_killed_before_they_sign_keep_an_adopted_database(settings: Settings, database_file: Path) -> None:
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute("INSERT INTO channel_configs (channel_id, guild_id) VALUES (1, 1)")
        connection.execute(
            "INSERT INTO monitoring_targets (channel_id, target_type, target_name, location_id, created_at)"
            " VALUES (1, 'location', 'A bar', 7, '2026-01-01 00:00:00')"
        )
    previous = None
    for holder in ("first", "second", "third"):
        recorded = Recorded(database_file, Diary(), previous, holder)
        recorded.store.objects = [StoredObject("db/generations/0123456789abcdef/snapshots/0", 1, LONG_AGO, "1")]
        recorded.lease.unanswered = 1
        async with _launched(recorded, settings) as task:
            await recorded.diary.has("signature lost")
            task.cancel()
            await _ended(task)
        previous = replace(BEFORE, holder=holder, writer=None, heartbeat_at=None)


async def test_a_database_that_cannot_be_written_stops_the_start(
    settings: Settings, database_file: Path, recorded: Recorded, diary: Diary
) -> None:
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON heartbeat BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    async with _launched(recorded, settings) as task:
        with pytest.raises(
            DatabaseError, match=r"cannot be written \(the disk is full\): check that its disk has room"
        ):
            await asyncio.wait_for(task, PATIENCE)
    assert [entry.partition(",")[0] for entry in diary.entries] == ["lease acquired", "lease released"]


async def test_a_database_that_cannot_be_written_is_still_synced(
    services: EmbeddedServices, settings: Settings, database_file: Path, diary: Diary, recorded: Recorded
) -> None:
    async with _launched(recorded, settings) as task:
        await _connected(recorded, services)
        with closing(sqlite3.connect(database_file)) as other, other:
            other.execute("CREATE TRIGGER full BEFORE UPDATE ON heartbeat BEGIN SELECT RAISE(ABORT, 'full'); END")
        task.cancel()
        await _ended(task)
    assert diary.before("synced", "litestream stopped")
    assert "heartbeat noted" not in str(diary.entries)


async def test_the_last_heartbeat_does_not_delay_the_stop(
    services: EmbeddedServices,
    settings: Settings,
    database_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    recorded: Recorded,
) -> None:
    monkeypatch.setattr(start, "BEAT_SECONDS", PATIENCE)
    monkeypatch.setattr(start, "STOP_SECONDS", 0.0)
    async with _launched(recorded, settings) as task:
        await _connected(recorded, services)
        with closing(sqlite3.connect(database_file, isolation_level=None)) as other, capture_logs() as logs:
            other.execute("BEGIN IMMEDIATE")
            task.cancel()
            await _ended(task)
    # SQLite's own wait would have ended with another error.
    assert [each["error"] for each in logs if each["event"] == "last_heartbeat_failed"] == ["TimeoutError"]


async def test_storage_that_hangs_costs_no_more_than_the_time_there_is(
    services: EmbeddedServices, settings: Settings, diary: Diary, monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    # What it takes in spite of that is compared with what it would take without.
    monkeypatch.setattr(start, "STOP_SECONDS", 1.0)
    monkeypatch.setattr(start, "LITESTREAM_SECONDS", 0.5)
    async with _launched(recorded, settings) as task:
        await _connected(recorded, services)
        recorded.replication.reachable.clear()
        task.cancel()
        async with asyncio.timeout(STOP_SECONDS):
            with suppress(asyncio.CancelledError):
                await task
    assert [entry.partition(",")[0] for entry in diary.entries[3:]] == [
        "not synced",
        "litestream killed",
        "lease released",
    ]


async def test_sigterm_while_it_waits_for_the_lease_ends_it_at_once(settings: Settings, database_file: Path) -> None:
    recorded = Recorded(database_file, Diary(), None)
    recorded.lease.free.clear()
    async with _launched(recorded, settings) as task:
        await asyncio.sleep(0)
        task.cancel()
        await _ended(task)
    assert recorded.diary.entries == ["lease released"]


async def test_sigterm_during_a_restore_leaves_no_file_and_starts_nothing(settings: Settings, tmp_path: Path) -> None:
    database = tmp_path / "disk" / "bot.db"
    database.parent.mkdir()
    recorded = Recorded(database, Diary(), None)
    recorded.store.objects = [StoredObject("db/generations/0123456789abcdef/snapshots/0", 1, LONG_AGO, "1")]
    async with _launched(recorded, settings) as task:
        await asyncio.wait_for(recorded.litestream.restoring.wait(), PATIENCE)
        task.cancel()
        await _ended(task)
    assert recorded.diary.entries == ["lease acquired", "lease released"]
    assert not list(database.parent.iterdir())


def _other_token(settings: Settings) -> Secret:
    return type(settings.discord_token)("another token")


def _write_heartbeat(file: Path, holder: str, previous: str | None, beat_at: datetime = LONG_AGO) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM heartbeat")
        connection.execute(
            "INSERT INTO heartbeat (id, beat_at, holder, previous_holder) VALUES (1, ?, ?, ?)",
            (beat_at.strftime("%Y-%m-%d %H:%M:%S.%f"), holder, previous),
        )
