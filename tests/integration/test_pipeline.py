"""From Pinball Map's feed to a channel: once, soon, and through every failure."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from dispinmap.database.queries import outbox
from dispinmap.database.tables import ChannelConfigRow, ChannelParkingRow, NotificationRow, SubmissionRow
from dispinmap.outbox.destination import ChannelClosed, MessageRejected, NotDelivered
from dispinmap.pinballmap.errors import PinballMapError
from tests.fakes.pipeline import CHANNEL, MINUTE, Pipeline
from tests.fakes.values import GROUND_KONTROL

MONSTER_BASH = 641
PORTLAND = "45.5152,-122.6784,25"


def _absent_machines(pipeline: Pipeline, count: int) -> list[int]:
    there = {machine.id for machine in pipeline.world.location(GROUND_KONTROL).machines}
    return [machine.id for machine in pipeline.world.catalog if machine.id not in there][:count]


async def test_the_first_fetch_is_history_and_announces_nothing(pipeline: Pipeline) -> None:
    await pipeline.watch()
    await pipeline.turn()
    async with pipeline.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(SubmissionRow)) == 200
    assert pipeline.shown() == []


async def test_an_addition_is_posted_in_the_turn_that_saw_it_and_never_again(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    (machine,) = _absent_machines(pipeline, 1)
    row = pipeline.world.add_machine(GROUND_KONTROL, machine)
    await pipeline.turn()
    assert pipeline.shown() == [row.id]
    for _ in range(3):
        await pipeline.turn()
    assert pipeline.shown() == [row.id]


async def test_no_requests_are_made_while_nothing_is_watched(pipeline: Pipeline) -> None:
    for _ in range(30):
        await pipeline.turn()
    assert not pipeline.server.requests


async def test_default_rates_cost_four_requests_an_hour_for_any_number_of_targets(pipeline: Pipeline) -> None:
    for channel_id in range(1, 101):
        for number in range(10):
            await pipeline.watch(channel_id, location_id=1000 + number, poll_rate_minutes=None)
    await pipeline.turn()
    before = sum(pipeline.server.requests.values())
    for _ in range(60):
        await pipeline.turn()
    assert sum(pipeline.server.requests.values()) - before == 4


async def test_the_first_news_leaves_at_once_and_what_follows_comes_together_a_poll_rate_later(
    pipeline: Pipeline,
) -> None:
    await pipeline.watch(poll_rate_minutes=30)
    await pipeline.watch(channel_id=11, poll_rate_minutes=1)
    pipeline.clock.advance(1)
    rows = []
    for machine in _absent_machines(pipeline, 3):
        rows.append(pipeline.world.add_machine(GROUND_KONTROL, machine).id)
        await pipeline.turn()
    assert pipeline.shown(11) == rows
    assert pipeline.shown() == rows[:1]
    for _ in range(27):
        await pipeline.turn()
        assert pipeline.shown() == rows[:1]
    await pipeline.turn()
    assert pipeline.shown() == rows
    assert [len(post.cards) for post in pipeline.destination.posts if post.channel_id == CHANNEL] == [1, 1]


async def test_targets_that_follow_the_channel_share_its_rate_and_others_do_not(pipeline: Pipeline) -> None:
    await pipeline.watch(poll_rate_minutes=None, kind="comments")
    await pipeline.watch(area=PORTLAND, poll_rate_minutes=None, kind="machines")
    await pipeline.watch(location_id=9485, poll_rate_minutes=1, kind="comments")
    pipeline.clock.advance(1)
    first = pipeline.world.comment(GROUND_KONTROL, MONSTER_BASH, "plays well").id
    await pipeline.turn()
    pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    own = pipeline.world.comment(9485, pipeline.world.location(9485).machines[0].id, "plays well").id
    await pipeline.turn()
    assert pipeline.shown() == [first, own]


async def test_a_removal_that_settles_after_a_message_waits_for_the_poll_rate_too(pipeline: Pipeline) -> None:
    await pipeline.watch(poll_rate_minutes=20)
    pipeline.clock.advance(1)
    removal = pipeline.world.remove_machine(GROUND_KONTROL, MONSTER_BASH).id
    await pipeline.poller.poll()
    addition = pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0]).id
    await pipeline.poller.poll()
    await pipeline.sender.drain()
    posted_at = pipeline.clock.now()
    assert pipeline.shown() == [addition]
    while removal not in pipeline.shown():
        await pipeline.turn()
    assert pipeline.clock.now() - posted_at == 20 * MINUTE


async def test_overlapping_targets_of_a_channel_post_once(pipeline: Pipeline) -> None:
    await pipeline.watch()
    await pipeline.watch(area=PORTLAND)
    pipeline.clock.advance(1)
    row = pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    await pipeline.turn()
    assert pipeline.shown() == [row.id]


async def test_each_channel_gets_the_kinds_it_wants(pipeline: Pipeline) -> None:
    for channel_id, kinds in enumerate(("machines", "comments", "confirmations,machines", "all"), start=1):
        await pipeline.watch(channel_id=channel_id, kind=kinds)
    pipeline.clock.advance(1)
    comment = pipeline.world.comment(GROUND_KONTROL, MONSTER_BASH, "plays well").id
    confirmed = pipeline.world.confirm(GROUND_KONTROL).id
    await pipeline.turn()
    assert [pipeline.shown(channel_id) for channel_id in (1, 2, 3, 4)] == [
        [],
        [comment],
        [confirmed],
        [comment, confirmed],
    ]


async def test_a_removal_leaves_after_the_first_poll_at_the_end_of_its_window(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    row = pipeline.world.remove_machine(GROUND_KONTROL, MONSTER_BASH)
    for _ in range(4):
        await pipeline.turn()
        assert pipeline.shown() == []
    await pipeline.turn()
    assert pipeline.shown() == [row.id]


async def test_a_machine_that_comes_back_within_the_window_is_not_mentioned(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    pipeline.world.remove_machine(GROUND_KONTROL, MONSTER_BASH)
    await pipeline.turn()
    await pipeline.turn()
    pipeline.world.add_machine(GROUND_KONTROL, MONSTER_BASH)
    for _ in range(10):
        await pipeline.turn()
    assert pipeline.shown() == []


async def test_a_row_that_becomes_visible_late_is_posted(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    late_id = pipeline.world.reserve_id()
    late_at = pipeline.clock.now()
    row = pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    await pipeline.turn()
    pipeline.world.inject([replace(row, id=late_id, created_at=late_at)])
    await pipeline.turn()
    assert pipeline.shown() == [row.id, late_id]


async def test_an_outage_of_pinball_map_loses_nothing_and_is_asked_less_and_less(pipeline: Pipeline) -> None:
    await pipeline.watch()
    await pipeline.turn()
    pipeline.server.faults.fail("*", 503, times=None)
    before = sum(pipeline.server.requests.values())
    row = pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    for _ in range(60):
        await pipeline.turn()
    assert pipeline.problem() is not None
    assert sum(pipeline.server.requests.values()) - before <= 8
    pipeline.server.faults.clear()
    for _ in range(16):
        await pipeline.turn()
    assert pipeline.problem() is None
    assert pipeline.shown() == [row.id]


async def test_the_other_rows_count_despite_a_malformed_one(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    pipeline.world.inject([{"id": "none", "submission_type": 7}, None, {"submission_type": "new_lmx"}])
    row = pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    await pipeline.turn()
    await pipeline.turn()
    assert pipeline.shown() == [row.id]
    assert pipeline.pinballmap.malformed_rows == 3


async def test_a_lost_answer_is_repeated_with_the_same_nonce(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    row = pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    pipeline.destination.lost_answers = 2
    for _ in range(20):
        await pipeline.turn(3)
    for _ in range(20):
        await pipeline.turn(10)
    assert pipeline.shown() == [row.id]
    assert pipeline.destination.searches == 0


async def test_once_the_nonce_is_too_old_the_post_is_looked_for(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    row = pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    pipeline.destination.lost_answers = 1
    await pipeline.turn()
    await pipeline.turn(3600)
    assert pipeline.destination.searches == 1
    assert pipeline.shown() == [row.id]
    async with pipeline.database.read() as session:
        assert (await outbox.queue_state(session, pipeline.clock.now())).in_doubt == 0


async def test_a_crash_between_saving_and_marking_repeats_nothing(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    row = pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    pipeline.destination.ends_with = KilledError()
    with pytest.raises(KilledError):
        await pipeline.turn()
    pipeline.wire(pipeline.pinballmap)
    await pipeline.turn(1)
    assert pipeline.shown() == [row.id]


class KilledError(BaseException):
    """Stands for the end of the process: nothing catches it."""


async def test_discord_s_pause_is_kept(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    pipeline.destination.refusals = [NotDelivered("Discord limits us.", retry_after=120)]
    await pipeline.turn()
    await pipeline.turn(119)
    assert pipeline.shown() == []
    await pipeline.turn(1)
    assert len(pipeline.shown()) == 1


async def test_a_closed_channel_is_parked_with_growing_delay_and_loses_nothing(pipeline: Pipeline) -> None:
    await pipeline.watch()
    await pipeline.watch(channel_id=11)
    pipeline.clock.advance(1)
    row = pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    closed = ChannelClosed("The bot may not write here: allow Send Messages.")
    pipeline.clock.advance(60)
    await pipeline.poller.poll()
    pipeline.destination.refusals = [closed]
    await pipeline.sender.drain()
    assert sorted((pipeline.shown(10), pipeline.shown(11))) == [[], [row.id]]
    parked = 10 if not pipeline.shown(10) else 11
    async with pipeline.database.read() as session:
        parking = await session.get(ChannelParkingRow, parked)
        assert parking is not None
        assert parking.reason == str(closed)
        assert parking.retry_at - pipeline.clock.now() == timedelta(minutes=5)
    pipeline.destination.refusals = [closed]
    await pipeline.turn(300)
    await pipeline.turn(300)
    assert pipeline.shown(parked) == []
    await pipeline.turn(300)
    assert pipeline.shown(parked) == [row.id]
    async with pipeline.database.read() as session:
        assert await session.get(ChannelParkingRow, parked) is None


async def test_a_rejected_message_is_reported_and_does_not_block_the_channel(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    first, second = _absent_machines(pipeline, 2)
    pipeline.world.add_machine(GROUND_KONTROL, first)
    pipeline.destination.refusals = [MessageRejected("Discord did not accept the message.")]
    await pipeline.turn()
    assert pipeline.given_up == ["Discord did not accept the message."]
    row = pipeline.world.add_machine(GROUND_KONTROL, second)
    await pipeline.turn()
    assert pipeline.shown() == [row.id]


async def test_a_deactivated_channel_gets_nothing_and_costs_nothing(pipeline: Pipeline) -> None:
    await pipeline.watch()
    async with pipeline.database.write() as session:
        await session.execute(update(ChannelConfigRow).values(is_active=False))
    pipeline.clock.advance(1)
    pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    await pipeline.turn()
    assert pipeline.shown() == []
    assert not pipeline.server.requests


async def test_a_check_right_after_a_poll_makes_no_request(pipeline: Pipeline) -> None:
    await pipeline.watch()
    await pipeline.turn()
    before = sum(pipeline.server.requests.values())
    pipeline.clock.advance(5)
    await pipeline.poller.check()
    assert sum(pipeline.server.requests.values()) == before
    pipeline.clock.advance(5)
    await pipeline.poller.check()
    assert sum(pipeline.server.requests.values()) == before + 1


async def test_a_check_respects_the_pause_the_server_asked_for(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.server.faults.fail("*", 429, headers={"Retry-After": "600"})
    await pipeline.turn()
    before = sum(pipeline.server.requests.values())
    pipeline.clock.advance(300)
    with pytest.raises(PinballMapError):
        await pipeline.poller.check()
    assert sum(pipeline.server.requests.values()) == before


async def test_everything_announced_is_in_one_transaction_with_the_cursor(pipeline: Pipeline) -> None:
    await pipeline.watch()
    pipeline.clock.advance(1)
    row = pipeline.world.add_machine(GROUND_KONTROL, _absent_machines(pipeline, 1)[0])
    pipeline.clock.advance(60)
    await pipeline.poller.poll()
    async with pipeline.database.read() as session:
        saved = (await session.scalars(select(NotificationRow))).one()
    assert (saved.submission_id, saved.channel_id, saved.state) == (row.id, CHANNEL, "pending")
