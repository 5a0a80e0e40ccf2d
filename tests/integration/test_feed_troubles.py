"""The feed when it goes wrong: gaps with odd rows, clocks put right, everybody asking at once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from dispinmap.database.queries import notifications, seen
from dispinmap.database.queries.status import status
from dispinmap.database.tables import ChannelConfigRow, FeedStateRow, MonitoringTargetRow
from dispinmap.pinballmap.errors import PinballMapError
from dispinmap.targets.kinds import Kinds, NotificationKind
from dispinmap.targets.models import ChannelRef
from dispinmap.targets.service import TargetService
from tests.fakes.lookups import FakeGeocoder
from tests.fakes.pipeline import CHANNEL, Pipeline
from tests.fakes.values import GROUND_KONTROL

MONSTER_BASH = 641
FEED = "user_submissions.json"


def _comment(pipeline: Pipeline) -> int:
    return pipeline.world.comment(GROUND_KONTROL, MONSTER_BASH, "plays well").id


async def test_an_odd_row_does_not_end_the_walk_over_a_gap(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="comments")
    await pipeline.turn()
    expected = []
    for number in range(300):
        pipeline.clock.advance(20)
        expected.append(_comment(pipeline))
        if number in (60, 250):  # one on a page of the walk, one in the first answer
            at = pipeline.clock.now().isoformat()
            pipeline.world.inject([{"id": "odd", "submission_type": "new_condition", "created_at": at}])
    await pipeline.turn()
    assert pipeline.shown() == expected


async def test_a_walk_that_breaks_off_loses_nothing(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="comments")
    await pipeline.turn()
    expected = []
    for _ in range(300):
        pipeline.clock.advance(20)
        expected.append(_comment(pipeline))
    pipeline.server.faults.fail(FEED, 503, times=None)
    await pipeline.turn()
    assert pipeline.shown() == []
    pipeline.server.faults.clear()
    await pipeline.turn()
    assert pipeline.shown() == expected


async def test_what_a_channel_has_seen_is_not_announced_there_and_what_is_announced_counts_as_seen(
    pipeline: Pipeline,
) -> None:
    await pipeline.watch(kind="comments")
    await pipeline.watch(channel_id=11, kind="comments")
    pipeline.clock.advance(1)
    row = _comment(pipeline)
    async with pipeline.database.write() as session:
        await seen.mark_seen(session, [(CHANNEL, row)], pipeline.clock.now())
    await pipeline.turn()
    assert (pipeline.shown(), pipeline.shown(11)) == ([], [row])
    async with pipeline.database.read() as session:
        assert await seen.seen(session, [(CHANNEL, row), (11, row)]) == {(CHANNEL, row), (11, row)}


async def test_what_was_there_before_the_first_start_is_history_for_a_target_of_the_original_bot_too(
    pipeline: Pipeline,
) -> None:
    await pipeline.watch(kind="all")
    async with pipeline.database.write() as session:
        await session.execute(update(MonitoringTargetRow).values(created_at=pipeline.clock.now() - timedelta(days=999)))
    await pipeline.turn()
    assert pipeline.shown() == []


async def test_news_right_after_a_batch_waits_for_the_next_batch(pipeline: Pipeline) -> None:
    await pipeline.watch(poll_rate_minutes=30, kind="comments")
    pipeline.clock.advance(10 * 60)
    first = _comment(pipeline)
    await pipeline.poller.poll()
    pipeline.clock.advance(20 * 60)
    await pipeline.sender.drain()
    assert pipeline.shown() == [first]
    pipeline.clock.advance(60)
    second = _comment(pipeline)
    await pipeline.poller.poll()
    await pipeline.sender.drain()
    assert pipeline.shown() == [first]
    pipeline.clock.advance(29 * 60)
    await pipeline.sender.drain()
    assert pipeline.shown() == [first, second]


async def test_a_return_that_an_outage_hides_is_still_no_news(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    pipeline.world.remove_machine(GROUND_KONTROL, MONSTER_BASH)
    await pipeline.turn()
    pipeline.server.faults.fail("*", 503, times=None)
    pipeline.clock.advance(60)
    pipeline.world.add_machine(GROUND_KONTROL, MONSTER_BASH)
    for _ in range(20):
        await pipeline.turn()
    pipeline.server.faults.clear()
    for _ in range(20):
        await pipeline.turn()
    assert pipeline.shown() == []


async def test_a_check_while_pinball_map_fails_lets_no_removal_leave_that_may_be_undone(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    pipeline.world.remove_machine(GROUND_KONTROL, MONSTER_BASH)
    await pipeline.turn()
    pipeline.server.faults.fail("*", 503, times=None)
    pipeline.clock.advance(60)
    pipeline.world.add_machine(GROUND_KONTROL, MONSTER_BASH)
    pipeline.clock.advance(10 * 60)
    with pytest.raises(PinballMapError):
        await pipeline.poller.check()
    async with pipeline.database.write() as session:
        await notifications.make_due(session, CHANNEL, pipeline.clock.now())
    await pipeline.sender.drain()
    pipeline.server.faults.clear()
    for _ in range(30):
        await pipeline.turn()
    assert pipeline.shown() == []


async def test_a_quicker_poll_rate_lets_no_removal_leave_that_may_be_undone(pipeline: Pipeline) -> None:
    await pipeline.watch(poll_rate_minutes=60)
    pipeline.clock.advance(1)
    pipeline.world.remove_machine(GROUND_KONTROL, MONSTER_BASH)
    await pipeline.poller.poll()
    service = TargetService(pipeline.database, pipeline.pinballmap, FakeGeocoder(), pipeline.clock)
    await service.set_poll_rate(ChannelRef(CHANNEL, 1), 20, "1")
    pipeline.clock.advance(60)
    pipeline.world.add_machine(GROUND_KONTROL, MONSTER_BASH)
    # The window is over, but no poll has looked since.
    pipeline.clock.advance(6 * 60)
    await pipeline.sender.drain()
    assert pipeline.shown() == []
    for _ in range(90):
        await pipeline.turn()
    assert pipeline.shown() == []


async def test_a_clock_set_back_holds_a_removal_no_longer_than_its_window(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    row = pipeline.world.remove_machine(GROUND_KONTROL, MONSTER_BASH)
    await pipeline.turn()
    pipeline.clock.advance(-24 * 3600)
    for _ in range(6):
        assert pipeline.shown() == []
        await pipeline.turn()
    assert pipeline.shown() == [row.id]


async def test_after_an_outage_a_clock_set_back_costs_no_more_than_the_pause(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="comments")
    await pipeline.turn()
    row = _comment(pipeline)
    pipeline.server.faults.fail("*", 503, times=None)
    await pipeline.turn()
    pipeline.server.faults.clear()
    pipeline.clock.advance(-6 * 3600)
    for _ in range(3):
        await pipeline.turn()
    assert pipeline.shown() == [row]


async def test_a_poll_by_the_old_clock_settles_no_removal(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    pipeline.world.remove_machine(GROUND_KONTROL, MONSTER_BASH)
    await pipeline.turn()
    pipeline.clock.advance(-3600)
    service = TargetService(pipeline.database, pipeline.pinballmap, FakeGeocoder(), pipeline.clock)
    await service.set_poll_rate(ChannelRef(CHANNEL, 1), 20, "1")
    pipeline.clock.advance(6 * 60)
    await pipeline.sender.drain()
    assert pipeline.shown() == []


async def test_what_an_add_shows_is_not_posted_as_well(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="comments")
    pipeline.clock.advance(60)
    row = _comment(pipeline)
    await pipeline.poller.poll()
    service = TargetService(pipeline.database, pipeline.pinballmap, FakeGeocoder(), pipeline.clock)
    await service.set_kinds(ChannelRef(CHANNEL, 1), Kinds.of(NotificationKind.COMMENTS))
    added = await service.add_coordinates(ChannelRef(CHANNEL, 1), 45.5, -122.6)
    assert row in {each.id for each in added.latest}
    for _ in range(3):
        await pipeline.turn()
    assert pipeline.shown() == []


async def test_after_a_clock_set_back_a_channel_keeps_its_rhythm(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="comments", poll_rate_minutes=None)
    pipeline.clock.advance(3 * 3600)
    first = _comment(pipeline)
    await pipeline.turn()
    pipeline.clock.advance(-2 * 3600)
    waiting = []
    for _ in range(2):
        pipeline.clock.advance(10 * 60)
        waiting.append(_comment(pipeline))
        await pipeline.turn()
    times = []
    for number in (2, 3):
        while len(pipeline.shown()) < number:
            await pipeline.turn(10 * 60)
        times.append(pipeline.clock.now())
    assert pipeline.shown() == [first, *waiting]
    assert times[1] - times[0] >= timedelta(hours=1)


async def test_a_removal_whose_window_was_seen_does_not_wait_for_the_end_of_an_outage(pipeline: Pipeline) -> None:
    await pipeline.watch()
    await pipeline.watch(channel_id=11, poll_rate_minutes=30)
    pipeline.clock.advance(1)
    row = pipeline.world.remove_machine(GROUND_KONTROL, MONSTER_BASH)
    for _ in range(7):
        await pipeline.turn()
    pipeline.server.faults.fail("*", 503, times=None)
    for _ in range(30):
        await pipeline.turn()
    assert pipeline.shown() == pipeline.shown(11) == [row.id]


async def test_a_clock_put_back_stops_neither_the_polls_nor_the_posts(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="comments")
    future = pipeline.clock.now() + timedelta(days=1500)
    async with pipeline.database.write() as session:
        await session.execute(
            update(FeedStateRow).values(history_until=future, cursor_created_at=future, last_polled_at=future)
        )
        await session.execute(update(MonitoringTargetRow).values(last_checked_at=future))
    await pipeline.turn()
    pipeline.clock.advance(1)
    row = _comment(pipeline)
    await pipeline.turn()
    assert pipeline.shown() == [row]


async def test_many_checks_at_once_are_one_request(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(60)
    before = pipeline.server.requests[FEED]
    await asyncio.gather(*(pipeline.poller.check() for _ in range(20)), pipeline.poller.step())
    assert pipeline.server.requests[FEED] - before == 1


async def test_a_check_respects_the_pause_of_a_server_that_is_out_of_order(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.server.faults.fail("*", 503, headers={"Retry-After": "1800"})
    await pipeline.turn()
    problem = pipeline.problem()
    pipeline.clock.advance(1700)
    with pytest.raises(PinballMapError, match="has a problem"):
        await pipeline.poller.check()
    assert pipeline.problem() == problem


async def test_a_target_as_quick_as_the_polls_never_waits_for_the_next_one(pipeline: Pipeline) -> None:
    await pipeline.watch(channel_id=11)
    await pipeline.turn()
    pipeline.clock.advance(58)
    await pipeline.watch(kind="comments")
    pipeline.clock.advance(1)
    row = _comment(pipeline)
    await pipeline.turn(1)
    assert pipeline.shown() == [row]


@pytest.mark.parametrize("stored", [0, -5, 10**15])
async def test_a_stored_poll_rate_out_of_range_counts_as_the_default(pipeline: Pipeline, stored: int) -> None:
    await pipeline.watch(poll_rate_minutes=stored)
    async with pipeline.database.write() as session:
        await session.execute(update(ChannelConfigRow).values(poll_rate_minutes=stored))
    await pipeline.turn()
    before = pipeline.server.requests[FEED]
    for _ in range(60):
        await pipeline.turn()
    assert pipeline.server.requests[FEED] - before == 4


async def test_if_only_deactivated_channels_have_targets_nothing_counts_as_watched(pipeline: Pipeline) -> None:
    await pipeline.watch()
    await pipeline.watch(channel_id=11)
    async with pipeline.database.write() as session:
        await session.execute(
            update(ChannelConfigRow).where(ChannelConfigRow.channel_id == CHANNEL).values(is_active=False)
        )
    async with pipeline.database.read() as session:
        state = await status(session, pipeline.clock.now())
    assert (state.channels, state.targets) == (1, 1)


async def test_the_poller_never_waits_busily(pipeline: Pipeline) -> None:
    assert await pipeline.poller.step() == 60  # nothing is watched
    await pipeline.watch(CHANNEL)
    pipeline.clock.advance(60)
    assert await pipeline.poller.step() == 60
    pipeline.server.faults.fail("*", 503, times=None)
    pipeline.clock.advance(60)
    assert await pipeline.poller.step() == 60
