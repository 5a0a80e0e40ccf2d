"""Sessions on a real file: what is committed, what is undone, who waits for whom."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from dispinmap.database.engine import Database, sync_engine
from dispinmap.database.tables import ChannelConfigRow, MonitoringTargetRow


async def names(database: Database) -> list[str]:
    async with database.read() as session:
        return list(await session.scalars(select(MonitoringTargetRow.target_name).order_by(MonitoringTargetRow.id)))


@pytest.fixture
async def channel(database: Database) -> int:
    async with database.write() as session:
        session.add(ChannelConfigRow(channel_id=11, guild_id=1))
    return 11


def target(channel: int, name: str) -> MonitoringTargetRow:
    return MonitoringTargetRow(channel_id=channel, target_type="latlong", target_name=name)


async def test_leaving_the_block_commits(database: Database, channel: int) -> None:
    async with database.write() as session:
        session.add(target(channel, "1,1"))
    assert await names(database) == ["1,1"]


async def test_an_error_undoes_everything_in_the_block(database: Database, channel: int) -> None:
    async def fail_half_way() -> None:
        async with database.write() as session:
            session.add(target(channel, "1,1"))
            await session.flush()
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        await fail_half_way()
    assert await names(database) == []


async def test_an_error_names_the_statement_and_never_the_values(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as session:
            session.add(target(404, "words of somebody"))

    with pytest.raises(IntegrityError) as raised:
        await fail()
    assert "INSERT INTO monitoring_targets" in str(raised.value)
    assert "words of somebody" not in str(raised.value)


async def test_a_second_writer_waits_for_the_first(database: Database, channel: int) -> None:
    other = Database(database.url)
    first_has_the_lock = asyncio.Event()
    seen_by_second: list[str] = []

    async def first() -> None:
        async with database.write() as session:
            first_has_the_lock.set()
            for number in range(20):
                session.add(target(channel, f"{number},0"))
                await session.flush()

    async def second() -> None:
        await first_has_the_lock.wait()
        async with other.write() as session:
            seen_by_second.extend(await session.scalars(select(MonitoringTargetRow.target_name)))

    await asyncio.gather(first(), second())
    await other.close()
    assert len(seen_by_second) == 20


async def test_many_writers_at_once_all_succeed(database: Database, channel: int) -> None:
    async def write(number: int) -> None:
        async with database.write() as session:
            count = await session.scalar(select(func.count()).select_from(MonitoringTargetRow))
            session.add(target(channel, f"{number},{count}"))

    await asyncio.gather(*(write(number) for number in range(30)))
    assert sorted(int(name.split(",")[1]) for name in await names(database)) == list(range(30))


async def test_a_reader_keeps_its_view_while_another_session_writes(database: Database, channel: int) -> None:
    count = select(func.count()).select_from(MonitoringTargetRow)
    async with database.read() as reading:
        assert await reading.scalar(count) == 0
        async with database.write() as session:
            session.add(target(channel, "1,1"))
        assert await reading.scalar(count) == 0
    assert await names(database) == ["1,1"]


async def test_a_read_session_refuses_changes(database: Database, channel: int) -> None:
    async with database.read() as session:
        session.add(target(channel, "1,1"))
        with pytest.raises(OperationalError, match="readonly"):
            await session.flush()
    async with database.write() as session:
        session.add(target(channel, "2,2"))
    assert await names(database) == ["2,2"]


async def test_foreign_keys_hold(database: Database) -> None:
    async def add_to_unknown_channel() -> None:
        async with database.write() as session:
            session.add(target(404, "1,1"))

    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        await add_to_unknown_channel()


async def test_the_file_is_in_wal_mode_and_waits_for_locks(database: Database) -> None:
    async with database.read() as session:
        pragmas = [
            await session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 1, 1, 5000]


@pytest.mark.parametrize(
    "stored",
    ["2025-06-01 12:30:00", "2025-06-01 12:30:00.000000", "2025-06-01T12:30:00", "2025-06-01 14:30:00+02:00"],
)
async def test_stored_times_are_read_as_aware_utc(
    database: Database, database_file: Path, channel: int, stored: str
) -> None:
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute("UPDATE channel_configs SET last_poll_at = ?", (stored,))
    async with database.read() as session:
        read = await session.scalar(select(ChannelConfigRow.last_poll_at).where(ChannelConfigRow.channel_id == channel))
    assert read == datetime(2025, 6, 1, 12, 30, tzinfo=UTC)
    assert read.tzinfo is UTC


@pytest.mark.parametrize("stored", ["yesterday", "", 7, b"2025-06-01", "9999-12-31 23:59:59-12:00"])
@pytest.mark.usefixtures("channel")
async def test_text_that_is_not_a_time_is_none(database: Database, database_file: Path, stored: object) -> None:
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute("UPDATE channel_configs SET last_poll_at = ?", (stored,))
    async with database.read() as session:
        assert await session.scalar(select(ChannelConfigRow.last_poll_at)) is None


async def test_a_time_of_any_zone_is_stored_as_utc_without_an_offset(database: Database, database_file: Path) -> None:
    eastern = datetime(2025, 6, 1, 8, 30, tzinfo=timezone(timedelta(hours=-4)))
    async with database.write() as session:
        session.add(ChannelConfigRow(channel_id=11, guild_id=1, last_poll_at=eastern))
    with closing(sqlite3.connect(database_file)) as connection:
        stored = connection.execute("SELECT last_poll_at FROM channel_configs").fetchone()
    assert stored == ("2025-06-01 12:30:00.000000",)


async def test_a_naive_time_is_refused(database: Database) -> None:
    async def store_naive() -> None:
        async with database.write() as session:
            naive = datetime(2025, 6, 1)  # noqa: DTZ001 - the point of the test
            session.add(ChannelConfigRow(channel_id=11, guild_id=1, last_poll_at=naive))

    with pytest.raises(StatementError, match="no time zone"):
        await store_naive()


def test_ddl_is_undone_with_its_transaction(tmp_path: Path) -> None:
    engine = sync_engine(f"sqlite:///{tmp_path / 'new.db'}", migrating=True)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE one (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO one VALUES (1)")
        connection.rollback()
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM sqlite_master").scalar() == 0
    engine.dispose()
