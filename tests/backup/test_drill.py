"""The drill: what it finds, and when it runs."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.backup.drill import FIRST_AFTER, RETRY_AFTER, DrillLoop, drill, due_at
from dispinmap.backup.errors import RestoreFailed, StorageRefused
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.models import Configuration, Format, Replica, StorageKind
from dispinmap.backup.place import make_place
from dispinmap.clock import SystemClock
from dispinmap.database.engine import Database
from dispinmap.database.queries import heartbeat
from dispinmap.health import DrillState
from tests.backup.conftest import StoragePlace
from tests.backup.fake_litestream import FakeLitestream
from tests.backup.hasty_clock import HastyClock
from tests.backup.running import running
from tests.backup.stored import NOON, beat
from tests.backup.writing import configuration
from tests.fakes.clock import ManualClock

DAY = timedelta(days=1)


async def until(ready: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await ready():  # noqa: ASYNC110 -- the loop under test has no event for its tests
            await asyncio.sleep(0.01)


def execute(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file, timeout=60)) as connection, connection:
        connection.execute(statement)


def add_channel(file: Path) -> None:
    execute(file, "INSERT INTO channel_configs (channel_id, guild_id) VALUES (1, 2)")


async def test_the_backup_of_a_running_bot_passes_the_drill(
    place: StoragePlace, binary: Path, database: Database, database_file: Path
) -> None:
    clock = SystemClock()
    litestream = await find_litestream(binary, clock)
    settings = configuration(place.replica, litestream.format, database_file)
    now = clock.now()
    async with database.write() as session:
        await heartbeat.beat(session, now, "us")
    before = sorted(each.name for each in database_file.parent.iterdir())
    async with running(litestream, settings) as replication:
        assert await replication.synced(60)
        state = await drill(make_place(settings, litestream, clock, 60), clock)
    assert (state.problem, state.heartbeat_at) == (None, now)
    assert state.restore_seconds is not None
    left = {each.name for each in database_file.parent.iterdir()} - set(before)
    assert not [name for name in left if "drill" in name]


class Scene:
    """A live database, and a Litestream whose restores come out as told."""

    def __init__(self, folder: Path, live: Path) -> None:
        self.live = live
        self.copy = Path(shutil.copy(live, folder / "copy.db"))
        replica = Replica(StorageKind.FILE, str(folder / "replica" / "db"))
        self.configuration = Configuration(Format.V0_5, live, replica, {})
        self.clock = HastyClock(NOON)

    async def drill(self, *outcomes: Path | Exception) -> DrillState:
        litestream = FakeLitestream(Format.V0_5, outcomes)
        return await drill(make_place(self.configuration, litestream, self.clock, 60), self.clock)

    async def problem(self, *outcomes: Path | Exception) -> str:
        return (await self.drill(*(outcomes or (self.copy, self.copy)))).problem or ""


@pytest.fixture
def scene(tmp_path: Path, database_file: Path) -> Scene:
    beat(database_file, NOON)
    return Scene(tmp_path, database_file)


async def test_a_copy_as_the_live_database_passes(scene: Scene) -> None:
    assert (await scene.drill(scene.copy)).problem is None


async def test_a_copy_that_lacks_rows_fails(scene: Scene) -> None:
    add_channel(scene.live)
    assert await scene.problem() == "channel_configs has 0 rows in the copy and 1 in the live database."


async def test_rows_that_were_on_their_way_at_first_are_looked_for_again(scene: Scene, tmp_path: Path) -> None:
    add_channel(scene.live)
    newer = Path(shutil.copy(scene.live, tmp_path / "newer.db"))
    assert await scene.problem(scene.copy, newer) == ""


async def test_a_copy_from_long_before_fails(scene: Scene) -> None:
    beat(scene.live, NOON + timedelta(minutes=3))
    assert await scene.problem() == "The copy is 180 seconds behind the live database."


async def test_a_failed_restore_fails_the_drill_with_its_sentence(scene: Scene) -> None:
    assert await scene.problem(StorageRefused("No permission.")) == "No permission."
    assert await scene.problem(RestoreFailed("Broken."), RestoreFailed("Broken.")) == "Broken."
    execute(scene.copy, "DROP TABLE submissions")
    assert "was restored and is not whole" in await scene.problem()


async def test_an_unreadable_live_database_fails_the_drill_but_does_not_end_it(scene: Scene) -> None:
    scene.live.unlink()
    assert "There is no file at" in await scene.problem()


@given(st.timedeltas(timedelta(), 3 * DAY), st.timedeltas(timedelta(minutes=1), 3 * DAY), st.booleans())
def test_drills_keep_their_interval_and_a_failed_one_is_repeated_soon(
    ago: timedelta,
    every: timedelta,
    failed: bool,  # noqa: FBT001 -- hypothesis passes it
) -> None:
    last = DrillState(NOON - ago, 1.0, None, "Broken." if failed else None)
    due = due_at(last, NOON - 3 * DAY, every)
    assert due - last.finished_at == max(min(every, RETRY_AFTER) if failed else every, FIRST_AFTER - 3 * DAY + ago)


def test_a_bot_just_started_drills_soon_but_not_at_once() -> None:
    assert due_at(None, NOON, DAY) == NOON + FIRST_AFTER
    assert due_at(DrillState(NOON - 2 * DAY, 1.0, None, None), NOON, DAY) == NOON + FIRST_AFTER


Drilling = Callable[[Iterable[Path | Exception]], ManualClock]


@pytest.fixture
async def drilling(scene: Scene, database: Database) -> AsyncIterator[Drilling]:
    """Starts the loop, with these outcomes, and returns the clock that it goes by."""
    tasks = []

    def start(outcomes: Iterable[Path | Exception]) -> ManualClock:
        clock = ManualClock(NOON)
        litestream = FakeLitestream(Format.V0_5, outcomes)
        loop = DrillLoop(make_place(scene.configuration, litestream, clock, 60), clock, database, drill_every=DAY)
        tasks.append(asyncio.create_task(loop.run()))
        return clock

    yield start
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def drills(database: Database) -> list[str | None]:
    """The problems of those that are remembered."""
    async with database.read() as session:
        last = await heartbeat.last_drill(session, NOON + DAY)
        good = await heartbeat.last_drill(session, NOON + DAY, good=True)
    return [each.problem for each in (good, last) if each is not None]


async def test_a_bot_drills_again_and_again_and_remembers_it(
    scene: Scene, database: Database, drilling: Drilling
) -> None:
    litter = scene.live.with_name(f".{scene.live.name}-drill-killed")
    litter.mkdir()
    clock = drilling([StorageRefused("No permission."), scene.copy])
    await until(lambda: _asleep(clock))
    assert not litter.exists()
    clock.advance(FIRST_AFTER.total_seconds())
    await until(lambda: _are(database, ["No permission."]))
    await until(lambda: _asleep(clock))
    clock.advance(RETRY_AFTER.total_seconds())
    await until(lambda: _are(database, [None, None]))


async def test_a_drill_of_a_clock_that_was_ahead_is_not_waited_for(
    scene: Scene, database: Database, drilling: Drilling
) -> None:
    async with database.write() as session:
        await heartbeat.save_drill(session, DrillState(NOON + 365 * DAY, 0.1, NOON, "The storage was down."))
    clock = drilling([scene.copy])
    await until(lambda: _asleep(clock))
    clock.advance(FIRST_AFTER.total_seconds())
    await until(lambda: _are(database, [None, None]))


async def _are(database: Database, problems: list[str | None]) -> bool:
    return await drills(database) == problems


async def _asleep(clock: ManualClock) -> bool:
    return clock.asleep > 0
