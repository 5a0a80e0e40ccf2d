"""Queries about targets, channels and what was seen, beyond what one statement takes."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from dispinmap.database.engine import Database
from dispinmap.database.queries import channels, seen, targets
from dispinmap.database.queries.batching import CHUNK
from dispinmap.targets.models import ChannelRef
from tests.fakes.clock import ManualClock
from tests.fakes.stored import watched_targets

MANY = CHUNK + 10


@pytest.fixture
async def target_ids(database: Database, clock: ManualClock) -> list[int]:
    """More targets than one statement names, in channel 1; channel 2 has none."""
    async with database.write() as session:
        for channel_id in (1, 2):
            await channels.ensure(session, ChannelRef(channel_id, 7), clock.now())
        insert = (
            "INSERT INTO monitoring_targets (id, channel_id, target_type, target_name, location_id, last_checked_at) "
            "VALUES (:id, 1, 'location', 'x', :id, '2026-03-01 12:00:00')"
        )
        await session.execute(text(insert), [{"id": number} for number in range(1, MANY + 1)])
        return list(range(1, MANY + 1))


async def test_the_checks_of_every_target_and_channel_are_noted_a_part_at_a_time(
    database: Database, clock: ManualClock, target_ids: list[int]
) -> None:
    later = clock.now() + timedelta(minutes=5)
    last: int | None = 0
    async with database.write() as session:
        while last is not None:
            last = await targets.note_checks(session, last, later)
        assert await channels.note_polls(session, 0, later) == 2
        assert await channels.note_polls(session, 2, later) is None
    async with database.read() as session:
        watched = await watched_targets(session)
        polled = await session.execute(text("SELECT channel_id FROM channel_configs WHERE last_poll_at IS NOT NULL"))
        assert polled.scalars().all() == [1, 2]
    assert [each.target.id for each in watched] == target_ids
    assert {each.target.last_checked_at for each in watched} == {later}


async def test_only_the_marked_pairs_are_seen(database: Database, clock: ManualClock, target_ids: list[int]) -> None:
    assert target_ids
    marked = {(1, number) for number in range(MANY)} | {(2, 5)}
    async with database.write() as session:
        await seen.mark_seen(session, marked, clock.now())
    asked = {(channel_id, number) for channel_id in (1, 2, 3) for number in range(MANY + 5)}
    async with database.read() as session:
        assert await seen.seen(session, asked) == marked
        assert await seen.seen(session, [(2, 6)]) == set()
        assert await seen.seen(session, []) == set()


async def test_marking_again_keeps_the_first_time(
    database: Database, clock: ManualClock, target_ids: list[int]
) -> None:
    assert target_ids
    async with database.write() as session:
        await seen.mark_seen(session, [(1, 5)], clock.now())
        clock.advance(60)
        await seen.mark_seen(session, [(1, 5), (1, 6)], clock.now())
        times = await session.execute(text("SELECT seen_at FROM seen_submissions ORDER BY submission_id"))
        assert times.scalars().all() == ["2026-03-01 12:00:00.000000", "2026-03-01 12:01:00.000000"]


async def test_nothing_to_mark_needs_no_statement(database: Database, clock: ManualClock) -> None:
    async with database.write() as session:
        await seen.mark_seen(session, [], clock.now())
