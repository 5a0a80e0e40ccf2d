"""Old rows are deleted, new ones stay, and nothing is announced twice."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, text

from dispinmap.database.engine import Database
from dispinmap.database.housekeeping import EVERY, FIRST_AFTER, Housekeeper, Retention, limits
from dispinmap.database.queries import retention
from dispinmap.database.tables import (
    ChannelConfigRow,
    FeedStateRow,
    MessageRow,
    NotificationRow,
    SeenSubmissionRow,
    SubmissionRow,
)
from dispinmap.database.upgrade import upgrade
from dispinmap.feed.cursor import Cursor
from tests.fakes.clock import ManualClock
from tests.fakes.pipeline import Pipeline, running_pipeline
from tests.fakes.values import GROUND_KONTROL
from tests.migrations import legacy
from tests.migrations.legacy import rows, write

KEEP = Retention(messages=timedelta(days=40), submissions=timedelta(days=100))
SHORTEST = Retention(messages=timedelta(days=31), submissions=timedelta(days=31))
DAY = 24 * 60 * 60
CHANNEL = 11
MACHINE = 641


@pytest.fixture
def legacy_file(tmp_path: Path) -> Path:
    return legacy.create(tmp_path / "legacy.db")


async def count(database: Database, table: type) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def fill(database: Database, now: datetime, ages: dict[int, float], *, state: str = "sent") -> None:
    """Channel 11 with submissions of these ages in days by id, each seen and notified in a message of its own."""
    history = now - timedelta(days=300)
    async with database.write() as session:
        await session.execute(insert(ChannelConfigRow).values(channel_id=CHANNEL, guild_id=1))
        await session.execute(insert(FeedStateRow).values(id=1, history_until=history, cursor_created_at=now))
        for number, age in ages.items():
            at = now - timedelta(days=age)
            await session.execute(
                insert(SubmissionRow).values(id=number, submission_type="new_lmx", created_at=at, fed_at=at)
            )
            await session.execute(
                insert(SeenSubmissionRow).values(channel_id=CHANNEL, submission_id=number, seen_at=at)
            )
            message = {"id": number, "channel_id": CHANNEL, "nonce": str(number), "state": state}
            times = {"next_attempt_at": at, "created_at": at, "sent_at": at if state == "sent" else None}
            await session.execute(insert(MessageRow).values(**message, **times))
            await session.execute(
                insert(NotificationRow).values(
                    channel_id=CHANNEL, submission_id=number, message_id=number, state=state, due_at=at, created_at=at
                )
            )


async def tidied(database: Database, clock: ManualClock, *, days: int = 2) -> None:
    """Housekeeping as it is done day by day."""
    housekeeper = Housekeeper(database, clock, KEEP)
    for _ in range(days):
        await housekeeper.tidy()


async def ids(database: Database, column: object) -> list[int]:
    async with database.read() as session:
        return sorted(await session.scalars(select(column)))  # type: ignore[call-overload]


async def test_old_rows_are_deleted_and_younger_ones_stay(database: Database, clock: ManualClock) -> None:
    await fill(database, clock.now(), {1: 150, 2: 101.5, 3: 99, 4: 41, 5: 39, 6: 0})
    await tidied(database, clock)
    assert await ids(database, MessageRow.id) == await ids(database, NotificationRow.submission_id) == [5, 6]
    assert await ids(database, SubmissionRow.id) == await ids(database, SeenSubmissionRow.submission_id) == [3, 4, 5, 6]


async def test_undelivered_rows_stay_at_any_age(database: Database, clock: ManualClock) -> None:
    await fill(database, clock.now(), {1: 250, 2: 150}, state="pending")
    await tidied(database, clock)
    for column in (MessageRow.id, NotificationRow.submission_id, SubmissionRow.id, SeenSubmissionRow.submission_id):
        assert await ids(database, column) == [1, 2]


async def test_a_cancelled_notification_stays_as_long_as_its_submission(database: Database, clock: ManualClock) -> None:
    await fill(database, clock.now(), {1: 150, 2: 90})
    async with database.write() as session:
        await session.execute(text("UPDATE notifications SET state = 'cancelled', message_id = NULL"))
    await tidied(database, clock)
    assert await ids(database, NotificationRow.submission_id) == await ids(database, SubmissionRow.id) == [2]


async def test_rows_are_history_one_run_before_they_are_deleted(database: Database, clock: ManualClock) -> None:
    await fill(database, clock.now(), {1: 150})
    await tidied(database, clock, days=1)
    assert await ids(database, SubmissionRow.id) == [1]
    async with database.read() as session:
        history = await session.scalar(select(FeedStateRow.history_until))
    assert history == clock.now() - KEEP.submissions
    await tidied(database, clock, days=1)
    assert await ids(database, SubmissionRow.id) == []


async def test_many_rows_go_in_pieces(database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(database, clock.now(), dict.fromkeys(range(1, 30), 150))
    monkeypatch.setattr(retention, "BATCH", 4)
    await tidied(database, clock)
    for table in (MessageRow, NotificationRow, SubmissionRow, SeenSubmissionRow):
        assert await count(database, table) == 0


async def test_before_the_feed_was_read_nothing_is_old(database: Database, clock: ManualClock) -> None:
    await fill(database, clock.now(), {1: 150})
    async with database.write() as session:
        await session.execute(text("DELETE FROM feed_state"))
    await tidied(database, clock)
    assert await ids(database, SubmissionRow.id) == [1]


async def test_a_file_we_made_shrinks(clock: ManualClock, database: Database, database_file: Path) -> None:
    await fill(database, clock.now(), {1: 0})
    async with database.write() as session:
        values = [{"channel_id": CHANNEL, "submission_id": n, "seen_at": None} for n in range(10, 60_000)]
        await session.execute(insert(SeenSubmissionRow), values)
    async with database.write() as session:
        await session.execute(text("DELETE FROM seen_submissions"))
    before = rows(database_file, "PRAGMA page_count")[0]
    await tidied(database, clock, days=1)
    assert rows(database_file, "PRAGMA freelist_count") == [0]
    assert rows(database_file, "PRAGMA page_count")[0] < before / 2


async def test_a_file_that_another_program_made_is_not_rewritten(legacy_file: Path, clock: ManualClock) -> None:
    upgrade(f"sqlite:///{legacy_file}")
    write(legacy_file, "CREATE TABLE _litestream_large (text)")
    write(legacy_file, "INSERT INTO _litestream_large VALUES (hex(zeroblob(100000)))")
    write(legacy_file, "DROP TABLE _litestream_large")
    free = rows(legacy_file, "PRAGMA freelist_count")
    database = Database(f"sqlite:///{legacy_file}")
    await tidied(database, clock, days=1)
    await database.close()
    assert rows(legacy_file, "PRAGMA freelist_count") == free != [0]


async def test_the_loop_begins_after_the_start_and_comes_back_daily(database: Database, clock: ManualClock) -> None:
    tidied_at: list[datetime] = []
    tidied_once = asyncio.Event()

    class Watched(Housekeeper):
        async def tidy(self) -> None:
            await super().tidy()
            tidied_at.append(clock.now())
            tidied_once.set()

    started = clock.now()
    loop = asyncio.ensure_future(Watched(database, clock, KEEP).run())
    await asyncio.sleep(0)
    clock.advance(FIRST_AFTER.total_seconds())
    await tidied_once.wait()
    tidied_once.clear()
    await asyncio.sleep(0)
    clock.advance(EVERY.total_seconds())
    await tidied_once.wait()
    loop.cancel()
    assert tidied_at == [started + FIRST_AFTER, started + FIRST_AFTER + EVERY]


async def test_deleting_causes_no_repeated_and_no_missing_posts(database: Database, clock: ManualClock) -> None:
    """Pinball Map's page of 200 shows rows of years, as in a quiet world; the bot forgets them after 31 days."""
    chance = random.Random(7)  # noqa: S311 - no secret
    async with running_pipeline(clock, database) as pipeline:
        await pipeline.watch(poll_rate_minutes=1, kind="all")
        await pipeline.turn()
        housekeeper = Housekeeper(database, clock, SHORTEST)
        expected = []
        for _ in range(40):
            expected += [
                pipeline.world.comment(GROUND_KONTROL, MACHINE, "Plays well.").id for _ in range(chance.randrange(3))
            ]
            await pipeline.turn(chance.choice((60, DAY, 3 * DAY, 12 * DAY)))
            if chance.random() < 0.5:
                await housekeeper.tidy()
        await pipeline.turn()
        assert pipeline.shown() == expected
        await forget_all_that_may_be(pipeline, housekeeper, len(expected))
        await pipeline.turn()
        assert pipeline.shown() == expected


@pytest.mark.parametrize("runs_before_the_poll", [0, 1, 2])
async def test_a_poll_under_way_does_not_take_deleted_submissions_for_news(
    database: Database, clock: ManualClock, runs_before_the_poll: int
) -> None:
    async with running_pipeline(clock, database) as pipeline:
        await pipeline.watch(poll_rate_minutes=1, kind="all")
        await pipeline.turn()
        for days in (0, 150):
            clock.advance(days * DAY)
            pipeline.world.comment(GROUND_KONTROL, MACHINE, "Plays well.")
            await pipeline.turn()
        async with database.write() as session:
            await session.execute(text("DELETE FROM seen_submissions"))
        poller, housekeeper = pipeline.poller, Housekeeper(database, clock, SHORTEST)
        for _ in range(runs_before_the_poll):
            await housekeeper.tidy()
        cursor = (await poller._look(clock.now())).cursor
        reading = await poller._reader.newest(cursor)
        await housekeeper.tidy()
        stored = await poller._store(cursor, reading, clock.now())
        assert stored.notifications == 0
        await housekeeper.tidy()
        await pipeline.turn()
        assert len(pipeline.shown()) == 2


async def forget_all_that_may_be(pipeline: Pipeline, housekeeper: Housekeeper, shown: int) -> None:
    """What is old, and even every mark of what was seen."""
    await housekeeper.tidy()
    await housekeeper.tidy()
    assert 0 < await count(pipeline.database, SubmissionRow) < shown
    async with pipeline.database.write() as session:
        await session.execute(text("DELETE FROM seen_submissions"))


moments = st.integers(0, 1500).map(lambda days: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=days))


@given(moments, moments, moments)
def test_only_history_is_deleted_and_history_only_grows(history: datetime, newest: datetime, now: datetime) -> None:
    found = limits(KEEP, Cursor(history, newest), now)
    assert found.seen < found.submissions <= history <= found.history
    assert found.submissions <= newest - KEEP.submissions
    assert found.history <= max(history, newest - KEEP.submissions, now - KEEP.submissions)
