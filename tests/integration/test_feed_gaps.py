"""What happened while the bot was away: read back to the last row, politely, and told once and together."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from dispinmap.database.queries.status import status
from dispinmap.database.tables import MonitoringTargetRow, NotificationRow, SubmissionRow
from tests.fakes.pipeline import WINDOW, Pipeline
from tests.fakes.values import GROUND_KONTROL

MONSTER_BASH = 641
ELSEWHERE = 9485
OTHER = 11
PORTLAND = "45.5152,-122.6784,25"
FEED = "user_submissions.json"
LOOK_UP = "user_submissions/location.json"
MANY_PLACES = 30
"""More than are looked up one by one."""


def comments(pipeline: Pipeline, count: int, *, every: int = 60, location_id: int = GROUND_KONTROL) -> list[int]:
    machine = pipeline.world.location(location_id).machines[0].id
    ids = []
    for _ in range(count):
        pipeline.clock.advance(every)
        ids.append(pipeline.world.comment(location_id, machine, "plays well").id)
    return ids


@pytest.fixture
async def away(pipeline: Pipeline) -> Pipeline:
    """A bot that watches a location in one channel, and so many others that a gap is read page by page."""
    await pipeline.watch(kind="all")
    for number in range(MANY_PLACES):
        await pipeline.watch(OTHER, location_id=100_000 + number, kind="all")
    await pipeline.turn()
    return pipeline


async def progress(pipeline: Pipeline) -> float:
    async with pipeline.database.read() as session:
        cursor = (await status(session, pipeline.clock.now())).cursor
    assert cursor is not None
    return cursor.progress


async def notifications(pipeline: Pipeline) -> list[int]:
    async with pipeline.database.read() as session:
        return list(await session.scalars(select(NotificationRow.id)))


async def test_everything_that_was_missed_is_posted_once_in_order_and_in_few_messages(away: Pipeline) -> None:
    expected = comments(away, 730, every=600)
    await away.turn()
    assert away.shown() == expected
    assert len(away.destination.posts) < 730 / 25


async def test_a_place_with_too_much_news_to_be_looked_up_hides_nothing_of_the_others(pipeline: Pipeline) -> None:
    for location_id in (GROUND_KONTROL, ELSEWHERE):
        await pipeline.watch(location_id=location_id, kind="all")
    await pipeline.turn()
    expected = []
    for _ in range(100):
        expected += comments(pipeline, 1, every=600)
        expected += comments(pipeline, 4, every=600, location_id=ELSEWHERE)
    pipeline.clock.advance(60)
    for _ in range(30):
        await pipeline.poller.step()
    await pipeline.sender.drain()
    assert sorted(pipeline.shown()) == expected


async def test_nothing_leaves_before_the_gap_is_closed_and_its_progress_is_known(away: Pipeline) -> None:
    expected = comments(away, 500)
    away.clock.advance(60)
    seen = []
    while not await away.poller.step():
        seen.append(await progress(away))
        if seen[-1] < 1 or len(await notifications(away)) < len(expected):
            await away.sender.drain()
            assert away.shown() == []
    await away.sender.drain()
    assert away.shown() == expected
    assert seen == sorted(seen)
    assert 0 < seen[0] < 0.5


async def test_a_restart_continues_the_reading(away: Pipeline) -> None:
    expected = comments(away, 1000)
    away.clock.advance(60)
    before = away.server.requests[FEED]
    steps = 0
    while not await away.poller.step():
        steps += 1
        away.wire(away.pinballmap)
    await away.sender.drain()
    assert away.shown() == expected
    assert steps > 20
    assert away.server.requests[FEED] - before <= steps + 2


async def test_a_restart_finds_the_page_again_after_a_day_of_other_news(away: Pipeline) -> None:
    expected = comments(away, 600)
    away.clock.advance(60)
    for _ in range(5):
        await away.poller.step()
    away.wire(away.pinballmap)
    expected += comments(away, 400, every=200)
    before = away.server.requests[FEED]
    await away.turn()
    assert away.shown() == expected
    assert away.server.requests[FEED] - before < 30


async def test_hundreds_of_rows_of_one_second_hide_none(away: Pipeline) -> None:
    expected = comments(away, 150) + comments(away, 400, every=0) + comments(away, 150)
    await away.turn()
    assert sorted(away.shown()) == expected


async def test_an_outage_in_the_middle_loses_nothing(away: Pipeline) -> None:
    expected = comments(away, 600)
    away.clock.advance(60)
    for _ in range(5):
        await away.poller.step()
    away.server.faults.fail(FEED, 503, times=None)
    for _ in range(10):
        await away.turn()
    assert away.problem() is not None
    away.server.faults.clear()
    await away.turn(3600)
    assert away.shown() == expected


async def test_rows_that_vanish_while_a_gap_is_read_hide_no_other(away: Pipeline) -> None:
    expected = comments(away, 600)
    away.clock.advance(60)
    await away.poller.step()
    newest = iter(reversed(expected))
    gone = set()
    while not await away.poller.step():
        vanished = next(newest)
        gone.add(vanished)
        away.world.delete_submission(vanished)
    await away.sender.drain()
    missing = set(expected) - set(away.shown())
    assert missing <= gone
    assert len(away.shown()) == len(set(away.shown()))


async def test_news_that_come_while_a_gap_is_read_are_posted_after_it(away: Pipeline) -> None:
    expected = comments(away, 600)
    away.clock.advance(60)
    while not await away.poller.step():
        if len(expected) < 640:
            expected += comments(away, 1)
    await away.turn()
    assert away.shown() == expected


async def test_a_copy_that_lost_rows_still_finds_the_page(away: Pipeline) -> None:
    expected = comments(away, 600)
    away.clock.advance(60)
    for _ in range(6):
        await away.poller.step()
    async with away.database.write() as session:
        youngest = select(SubmissionRow.id).order_by(SubmissionRow.id.desc()).limit(120)
        await session.execute(delete(SubmissionRow).where(SubmissionRow.id.in_(list(await session.scalars(youngest)))))
    await away.turn()
    assert sorted(away.shown()) == expected


async def test_few_places_are_looked_up_if_that_provably_holds_everything(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="comments")
    await pipeline.watch(channel_id=OTHER, area=PORTLAND, kind="comments")
    await pipeline.turn()
    expected = comments(pipeline, 150)
    comments(pipeline, 1500, location_id=ELSEWHERE)
    before = pipeline.server.requests[FEED]
    await pipeline.turn()
    assert pipeline.shown() == pipeline.shown(OTHER) == expected
    # An answer with a gap is asked for once more, with the types by name.
    assert pipeline.server.requests[FEED] - before == 2
    assert pipeline.server.requests[LOOK_UP] == 1
    assert pipeline.server.requests["user_submissions/list_within_range.json"] == 1


async def test_a_place_with_more_news_than_a_look_up_holds_is_read_page_by_page(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="comments")
    await pipeline.turn()
    expected = comments(pipeline, 250)
    comments(pipeline, 600, location_id=ELSEWHERE)
    await pipeline.turn()
    assert pipeline.shown() == expected
    assert pipeline.server.requests[LOOK_UP] == 1


async def test_the_gap_is_not_read_further_back_than_the_oldest_target(away: Pipeline) -> None:
    comments(away, 2000)
    async with away.database.write() as session:
        await session.execute(update(MonitoringTargetRow).values(created_at=away.clock.now()))
    expected = comments(away, 300)
    before = away.server.requests[FEED]
    await away.turn()
    assert away.shown() == expected
    assert away.server.requests[FEED] - before < 10


async def test_a_return_that_is_news_to_the_oldest_target_is_none_if_it_undid_a_removal(away: Pipeline) -> None:
    comments(away, 2000)
    away.world.remove_machine(GROUND_KONTROL, MONSTER_BASH)
    away.clock.advance(60)
    comments(away, 100, every=0, location_id=ELSEWHERE)  # more than a page
    away.clock.advance(60)
    async with away.database.write() as session:
        await session.execute(update(MonitoringTargetRow).values(created_at=away.clock.now()))
    away.clock.advance(60)
    away.world.add_machine(GROUND_KONTROL, MONSTER_BASH)
    expected = comments(away, 300)
    await away.turn()
    assert away.shown() == expected


@pytest.mark.parametrize(("apart", "told"), [(WINDOW, 0), (WINDOW + timedelta(seconds=1), 2)], ids=["undone", "news"])
@pytest.mark.parametrize("before", [100, 198, 199, 200, 201])
async def test_a_machine_that_came_back_in_the_gap_is_news_only_after_the_window(
    away: Pipeline, apart: timedelta, told: int, before: int
) -> None:
    expected = comments(away, before)
    removal = away.world.remove_machine(GROUND_KONTROL, MONSTER_BASH).id
    away.clock.advance(apart.total_seconds())
    addition = away.world.add_machine(GROUND_KONTROL, MONSTER_BASH).id
    expected += [removal, addition][:told]
    expected += comments(away, 500 - before)
    await away.turn()
    assert away.shown() == expected


async def test_a_machine_that_comes_back_after_a_gap_began_is_not_news(away: Pipeline) -> None:
    away.world.remove_machine(GROUND_KONTROL, MONSTER_BASH)
    await away.turn()
    away.clock.advance(60)
    away.world.add_machine(GROUND_KONTROL, MONSTER_BASH)
    expected = comments(away, 500)
    await away.turn()
    assert away.shown() == expected


async def test_pages_of_a_gap_wait_for_their_own_half_of_the_request_budget(
    away: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = 0
    limiter = away.pinballmap._paging_limiter
    acquire = limiter.acquire

    async def counted(amount: float = 1) -> None:
        nonlocal waited
        waited += 1
        await acquire(amount)

    monkeypatch.setattr(limiter, "acquire", counted)
    comments(away, 600)
    before = away.server.requests[FEED]
    await away.turn()
    # The first two requests are an ordinary poll, without the types by name and with them.
    assert away.server.requests[FEED] - before - 2 == waited > 5
