"""Delivery when it goes wrong: crashes anywhere, one bad channel or message, channels that close and open again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.engine import Database
from dispinmap.database.queries import channels, outbox
from dispinmap.database.tables import ChannelConfigRow, MessageRow, MonitoringTargetRow, NotificationRow
from dispinmap.outbox.destination import ChannelClosed, DeliveryError, DeliveryUnknown, NotDelivered
from tests.fakes.clock import ManualClock
from tests.fakes.pipeline import CHANNEL, Pipeline, running_pipeline
from tests.fakes.values import GROUND_KONTROL

MONSTER_BASH = 641
OTHER = 11
IDLE = 15
PATIENCE = 30
CLOSED = ChannelClosed("The bot may not write here: allow Send Messages.")


class KilledError(BaseException):
    """Stands for the end of the process: nothing catches it."""


class MortalDatabase(Database):
    """The process ends at one of its writes: before that is committed, or right after."""

    writes_left: int | None = None
    is_committed = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        dies = self.writes_left == 0
        if self.writes_left is not None:
            self.writes_left -= 1
        async with super().write() as session:
            yield session
            if dies and not self.is_committed:
                raise KilledError
        if dies:
            raise KilledError


@pytest.fixture
async def database(database: Database) -> AsyncIterator[MortalDatabase]:
    mortal = MortalDatabase(database.url)
    yield mortal
    await mortal.close()


@pytest.fixture
async def pipeline(clock: ManualClock, database: MortalDatabase) -> AsyncIterator[Pipeline]:
    async with running_pipeline(clock, database) as pipeline:
        await pipeline.watch(kind="comments")
        await pipeline.watch(OTHER, kind="comments")
        yield pipeline


async def _comments(pipeline: Pipeline, count: int = 1) -> list[int]:
    """Promised to both channels, due now."""
    pipeline.clock.advance(60)
    ids = [pipeline.world.comment(GROUND_KONTROL, MONSTER_BASH, "plays well").id for _ in range(count)]
    await pipeline.poller.poll()
    return ids


async def _serve(pipeline: Pipeline) -> None:
    """What the loop does for both channels."""
    await asyncio.gather(*(pipeline.sender._serve(channel_id) for channel_id in (CHANNEL, OTHER)))


@contextmanager
def _restart_if_killed(pipeline: Pipeline) -> Iterator[None]:
    try:
        yield
    except KilledError:
        pipeline.wire(pipeline.pinballmap)


@pytest.mark.parametrize("is_committed", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("downtime", [1, 7200], ids=["back at once", "back later"])
async def test_a_crash_at_any_write_loses_nothing_and_repeats_nothing(
    pipeline: Pipeline, database: MortalDatabase, *, is_committed: bool, downtime: float
) -> None:
    database.is_committed = is_committed
    expected: list[int] = []
    survived = False
    deaths = 0
    while not survived:
        pipeline.clock.advance(1)
        expected += [pipeline.world.comment(GROUND_KONTROL, MONSTER_BASH, "plays well").id for _ in range(2)]
        database.writes_left = deaths
        with _restart_if_killed(pipeline):
            await pipeline.turn()
        survived, database.writes_left = database.writes_left >= 0, None
        deaths += not survived
        await pipeline.turn(downtime)
        await pipeline.turn()
        assert pipeline.shown(CHANNEL) == pipeline.shown(OTHER) == expected
    assert deaths == 5  # the poll's, and two for each channel's message


async def test_doubt_counts_from_the_first_attempt_however_often_it_was_repeated(pipeline: Pipeline) -> None:
    ids = await _comments(pipeline)
    pipeline.destination.lost_answers = 1
    await pipeline.sender._serve(CHANNEL)
    pipeline.destination.refusals = [DeliveryUnknown("Discord's answer never came.") for _ in range(5)]
    for pause in (2, 4, 8, 16, 32, 64):
        pipeline.clock.advance(pause)
        await pipeline.sender._serve(CHANNEL)
    assert pipeline.destination.refusals == []
    assert pipeline.destination.searches == 1
    assert pipeline.shown(CHANNEL) == ids


@pytest.mark.parametrize("refusal", [NotDelivered("Discord limits us.", 300), CLOSED], ids=["limited", "closed"])
async def test_a_certain_failure_does_not_end_the_doubt_about_an_earlier_attempt(
    pipeline: Pipeline, refusal: DeliveryError
) -> None:
    ids = await _comments(pipeline)
    pipeline.destination.lost_answers = 1
    await pipeline.sender._serve(CHANNEL)
    pipeline.destination.refusals = [refusal]
    for pause in (2, 300):
        pipeline.clock.advance(pause)
        await pipeline.sender._serve(CHANNEL)
    assert pipeline.destination.searches == 1
    assert pipeline.shown(CHANNEL) == ids


async def test_stopped_while_discord_answers_the_post_is_found_and_not_repeated(pipeline: Pipeline) -> None:
    ids = await _comments(pipeline)
    pipeline.destination.hang = True
    loop = asyncio.ensure_future(pipeline.sender.run())
    async with asyncio.timeout(PATIENCE):
        await pipeline.destination.hangs.wait()
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop
    pipeline.destination.hang = False
    pipeline.wire(pipeline.pinballmap)
    await pipeline.turn(7200)
    assert pipeline.shown(CHANNEL) == pipeline.shown(OTHER) == ids


async def test_a_mistake_of_ours_in_one_channel_does_not_touch_the_others(pipeline: Pipeline) -> None:
    pipeline.destination.broken = {CHANNEL}
    ids = await _comments(pipeline)
    await _serve(pipeline)
    assert pipeline.shown(OTHER) == ids
    assert len(pipeline.given_up) == 1
    assert await pipeline.sender._look() == ([], 2)
    pipeline.clock.advance(2)
    assert await pipeline.sender._look() == ([CHANNEL], IDLE)
    await _serve(pipeline)
    assert await pipeline.sender._look() == ([], 4)
    pipeline.destination.broken.clear()
    pipeline.clock.advance(4)
    await _serve(pipeline)
    assert pipeline.shown(CHANNEL) == ids
    assert not pipeline.sender._troubles


async def test_the_loop_outlives_a_mistake_in_a_channel(pipeline: Pipeline) -> None:
    pipeline.destination.broken = {CHANNEL}
    pipeline.destination.hang = True
    await _comments(pipeline)
    loop = asyncio.ensure_future(pipeline.sender.run())
    async with asyncio.timeout(PATIENCE):
        await pipeline.destination.hangs.wait()
    assert not loop.done()
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop


async def test_text_that_is_not_an_area_costs_only_the_distance(pipeline: Pipeline) -> None:
    ids = await _comments(pipeline)
    async with pipeline.database.write() as session:
        await session.execute(update(MonitoringTargetRow).values(target_type="city", target_name="nowhere"))
    await _serve(pipeline)
    assert pipeline.shown(CHANNEL) == pipeline.shown(OTHER) == ids
    assert pipeline.given_up == []


async def test_one_unacceptable_notification_does_not_take_the_others_of_its_message_along(pipeline: Pipeline) -> None:
    ids = await _comments(pipeline, 7)
    pipeline.destination.spoiled = {ids[4]}
    await _serve(pipeline)
    assert pipeline.shown(CHANNEL) == pipeline.shown(OTHER) == [id_ for id_ in ids if id_ != ids[4]]
    assert len(pipeline.given_up) == 2
    async with pipeline.database.read() as session:
        states = await session.scalars(select(NotificationRow.state))
        counts = Counter(states)
        assert await session.scalar(select(func.count()).where(MessageRow.state == "pending")) == 0
    assert counts == {"sent": 12, "rejected": 2}


async def test_a_target_removed_while_its_message_is_under_way_changes_nothing_of_it(pipeline: Pipeline) -> None:
    ids = await _comments(pipeline)
    pipeline.destination.lost_answers = 2
    await _serve(pipeline)
    async with pipeline.database.write() as session:
        await session.execute(delete(MonitoringTargetRow))
    await pipeline.turn(7200)
    assert pipeline.shown(CHANNEL) == pipeline.shown(OTHER) == ids
    assert pipeline.destination.searches == 2


async def test_a_bot_invited_again_posts_at_once_what_the_channel_had_refused(pipeline: Pipeline) -> None:
    ids = await _comments(pipeline)
    pipeline.destination.refusals = [CLOSED, CLOSED]
    await _serve(pipeline)
    async with pipeline.database.write() as session:
        await channels.deactivate(session, [1], pipeline.clock.now())
    assert await pipeline.sender._look() == ([], IDLE)
    async with pipeline.database.write() as session:
        await channels.revive(session, [1], pipeline.clock.now())
    await _serve(pipeline)
    assert pipeline.shown(CHANNEL) == pipeline.shown(OTHER) == ids


async def test_a_check_tries_a_parked_channel_at_once_and_says_why_it_was_parked(
    pipeline: Pipeline,
) -> None:
    ids = await _comments(pipeline)
    pipeline.destination.refusals = [CLOSED, CLOSED]
    await _serve(pipeline)
    async with pipeline.database.write() as session:
        assert await outbox.retry_parked(session, CHANNEL, pipeline.clock.now()) == str(CLOSED)
        assert await outbox.retry_parked(session, 999, pipeline.clock.now()) is None
    await _serve(pipeline)
    assert (pipeline.shown(CHANNEL), pipeline.shown(OTHER)) == (ids, [])


async def test_what_a_channel_does_not_take_waits_and_is_not_due(pipeline: Pipeline) -> None:
    await _comments(pipeline, 3)
    pipeline.destination.refusals = [CLOSED]
    await pipeline.sender.step(CHANNEL)
    async with pipeline.database.write() as session:
        await session.execute(
            update(ChannelConfigRow).where(ChannelConfigRow.channel_id == OTHER).values(is_active=False)
        )
    async with pipeline.database.read() as session:
        state = await outbox.queue_state(session, pipeline.clock.now())
    assert (state.waiting, state.due, state.oldest_due_at, state.parked_channels) == (6, 0, None, 1)
    assert await pipeline.sender._look() == ([], IDLE)


async def test_what_becomes_due_while_the_loop_looks_is_not_overlooked(pipeline: Pipeline) -> None:
    await _comments(pipeline)
    due_at = pipeline.clock.now() + timedelta(seconds=1)
    async with pipeline.database.write() as session:
        await session.execute(update(NotificationRow).values(due_at=due_at))
    clock = _Ticking(due_at - timedelta(microseconds=1))
    pipeline.sender._clock = clock
    channels_now, seconds = await pipeline.sender._look()
    assert channels_now or seconds < 1


class _Ticking(ManualClock):
    """A second passes at each look at the clock."""

    def now(self) -> datetime:
        self.advance(1)
        return super().now() - timedelta(seconds=1)
