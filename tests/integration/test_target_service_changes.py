"""Removing targets and changing settings, with notifications already waiting, on a real database."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from dispinmap.database.engine import Database
from dispinmap.database.queries import channels, notifications, seen, submissions
from dispinmap.database.queries import outbox as queries
from dispinmap.database.tables import ChannelConfigRow, MessageRow, MonitoringTargetRow, NotificationRow
from dispinmap.errors import UserError
from dispinmap.health import QueueState
from dispinmap.pinballmap.models import Submission, SubmissionType
from dispinmap.targets.models import MAX_POLL_RATE_MINUTES, ChannelRef
from dispinmap.targets.service import TargetService
from tests.fakes.clock import ManualClock
from tests.fakes.stored import watched_targets
from tests.fakes.values import HERE, KONTROL, PORTLAND, WEDGEHEAD, kinds_of, submission


async def wait(database: Database, target_id: int, *rows: Submission, due_at: datetime, found_at: datetime) -> None:
    """Put the rows into the outbox as the feed does."""
    async with database.write() as session:
        await submissions.remember(session, rows)
        session.add_all(
            NotificationRow(
                channel_id=HERE.channel_id,
                submission_id=row.id,
                target_id=target_id,
                state="pending",
                due_at=due_at,
                created_at=found_at,
            )
            for row in rows
        )


async def outbox(database: Database) -> dict[int, NotificationRow]:
    async with database.read() as session:
        return {row.submission_id: row for row in await session.scalars(select(NotificationRow))}


async def test_removing_cancels_what_waits_for_that_target_alone(
    service: TargetService, database: Database, clock: ManualClock
) -> None:
    kontrol = (await service.add_location(HERE, KONTROL)).target
    await service.add_location(HERE, WEDGEHEAD)
    clock.advance(60)
    later = clock.now() + timedelta(hours=1)
    await wait(database, kontrol.id, submission(1, at=clock.now()), due_at=later, found_at=clock.now())
    assert (await service.remove(HERE.channel_id, "ground kontrol")).id == kontrol.id
    assert [each.watched.target.label for each in await service.targets(HERE.channel_id)] == ["Wedgehead"]
    row = (await outbox(database))[1]
    assert (row.state, row.target_id) == ("cancelled", None)


async def test_removing_hands_on_what_another_target_wants_too(
    service: TargetService, database: Database, clock: ManualClock
) -> None:
    kontrol = (await service.add_location(HERE, KONTROL)).target
    city = (await service.add_city(HERE, PORTLAND)).target
    clock.advance(60)
    later = clock.now() + timedelta(hours=1)
    await wait(database, kontrol.id, submission(1, at=clock.now()), due_at=later, found_at=clock.now())
    await service.remove(HERE.channel_id, "1")
    row = (await outbox(database))[1]
    assert (row.state, row.target_id, row.due_at) == ("pending", city.id, clock.now())


async def test_removing_leaves_alone_what_a_message_carries_or_was_sent(
    service: TargetService, database: Database, clock: ManualClock
) -> None:
    kontrol = (await service.add_location(HERE, KONTROL)).target
    now = clock.now()
    await wait(database, kontrol.id, submission(1, at=now), submission(2, at=now), due_at=now, found_at=now)
    async with database.write() as session:
        message = MessageRow(channel_id=100, nonce="n", state="pending", next_attempt_at=now, created_at=now)
        session.add(message)
        await session.flush()
        rows = {row.submission_id: row for row in await session.scalars(select(NotificationRow))}
        rows[1].message_id = message.id
        rows[2].state = "sent"
    await service.remove(HERE.channel_id, "1")
    assert {id_: row.state for id_, row in (await outbox(database)).items()} == {1: "pending", 2: "sent"}


async def test_removing_an_unknown_target_changes_nothing(service: TargetService) -> None:
    await service.add_location(HERE, KONTROL)
    with pytest.raises(UserError, match="watches one target"):
        await service.remove(HERE.channel_id, "2")
    with pytest.raises(UserError, match="watch anything yet"):
        await service.remove(999, "1")
    assert len(await service.targets(HERE.channel_id)) == 1


async def test_the_channels_settings_are_set_even_before_its_first_target(service: TargetService) -> None:
    assert await service.set_poll_rate(HERE, 30) is None
    assert await service.set_kinds(HERE, kinds_of("all")) is None
    channel = await service.channel(HERE.channel_id)
    assert channel is not None
    assert (channel.poll_rate_minutes, channel.kinds) == (30, kinds_of("all"))


async def test_a_target_has_its_own_settings_until_it_is_handed_back(service: TargetService) -> None:
    await service.add_location(HERE, KONTROL)
    await service.set_poll_rate(HERE, 30)
    own = await service.set_poll_rate(HERE, 5, "1")
    assert own is not None
    assert own.poll_rate_minutes == 5
    await service.set_kinds(HERE, kinds_of("comments"), "ground kontrol")
    (listed,) = await service.targets(HERE.channel_id)
    assert (listed.watched.poll_rate, listed.watched.kinds) == (timedelta(minutes=5), kinds_of("comments"))
    await service.set_poll_rate(HERE, None, "1")
    await service.set_kinds(HERE, None, "1")
    (listed,) = await service.targets(HERE.channel_id)
    assert (listed.watched.poll_rate, listed.watched.kinds) == (timedelta(minutes=30), kinds_of("machines"))


@pytest.mark.parametrize("minutes", [0, -1, MAX_POLL_RATE_MINUTES + 1])
async def test_a_poll_rate_out_of_range_is_refused_and_leaves_nothing(service: TargetService, minutes: int) -> None:
    with pytest.raises(UserError, match="Choose 1 to 10080"):
        await service.set_poll_rate(HERE, minutes)
    assert await service.channel(HERE.channel_id) is None


async def test_settings_of_an_unknown_target_leave_nothing(service: TargetService) -> None:
    with pytest.raises(UserError, match="watch anything yet"):
        await service.set_poll_rate(HERE, 5, "1")
    assert await service.channel(HERE.channel_id) is None


async def test_another_rate_changes_when_what_waits_is_due_and_never_when_it_is_settled(
    service: TargetService, database: Database, clock: ManualClock
) -> None:
    target = (await service.add_location(HERE, KONTROL)).target
    served_at = clock.now()
    clock.advance(120)
    now = clock.now()
    settles_at = now + timedelta(minutes=5)
    removal = submission(2, at=now, type=SubmissionType.REMOVE_MACHINE)
    later = served_at + timedelta(minutes=60)
    await wait(database, target.id, submission(1, at=now), removal, due_at=later, found_at=now)
    async with database.write() as session:
        await session.execute(update(ChannelConfigRow).values(served_at=served_at))
        await session.execute(update(NotificationRow).values(settles_at=settles_at))
    for minutes, due_at in ((1, now), (10, served_at + timedelta(minutes=10)), (90, served_at + timedelta(minutes=90))):
        await service.set_poll_rate(HERE, minutes)
        rows = (await outbox(database)).values()
        assert [(row.due_at, row.settles_at) for row in rows] == [(due_at, settles_at)] * 2


async def test_the_channels_rate_does_not_hurry_a_target_with_its_own(
    service: TargetService, database: Database, clock: ManualClock
) -> None:
    target = (await service.add_location(HERE, KONTROL)).target
    await service.set_poll_rate(HERE, 600, "1")
    served_at = clock.now()
    clock.advance(120)
    later = served_at + timedelta(hours=10)
    await wait(database, target.id, submission(1, at=clock.now()), due_at=later, found_at=clock.now())
    async with database.write() as session:
        await session.execute(update(MonitoringTargetRow).values(served_at=served_at))
    await service.set_poll_rate(HERE, 1)
    assert (await outbox(database))[1].due_at == later
    await service.set_poll_rate(HERE, None, "1")
    assert (await outbox(database))[1].due_at == clock.now()


async def test_kinds_switched_off_are_not_posted_any_more(
    service: TargetService, database: Database, clock: ManualClock
) -> None:
    target = (await service.add_location(HERE, KONTROL)).target
    now, later = clock.now(), clock.now() + timedelta(hours=1)
    comment = submission(2, at=now, type=SubmissionType.NEW_CONDITION)
    await wait(database, target.id, submission(1, at=now), comment, due_at=later, found_at=now)
    await service.set_kinds(HERE, kinds_of("machines"))
    assert {id_: row.state for id_, row in (await outbox(database)).items()} == {1: "pending", 2: "cancelled"}


async def test_a_deleted_channel_is_forgotten_with_all_that_waits_for_it(
    service: TargetService, database: Database, clock: ManualClock
) -> None:
    kontrol = (await service.add_location(HERE, KONTROL)).target
    elsewhere = (await service.add_location(ChannelRef(200, 7), KONTROL)).target
    clock.advance(60)
    now = clock.now()
    rows = [submission(number, at=now) for number in (1, 2, 3)]
    await wait(database, kontrol.id, *rows, due_at=now, found_at=now)
    async with database.write() as session:
        first, second, _ = await queries.leaving(session, HERE.channel_id, now)
        for nonce, item in (("half", first), ("other half", second)):
            await queries.save_message(session, HERE.channel_id, nonce, [item], now)
        await queries.park(session, HERE.channel_id, "gone", 1, now, now)
    await service.channel_deleted(HERE.channel_id)
    assert [row.state for row in (await outbox(database)).values()] == ["rejected", "rejected", "cancelled"]
    async with database.read() as session:
        assert await queries.ready_channels(session, now) == []
        assert await queries.queue_state(session, now) == QueueState()
        assert [each.target.id for each in await watched_targets(session)] == [elsewhere.id]


async def test_what_a_message_has_come_to_carry_since_it_was_looked_at_is_not_cancelled(
    service: TargetService, database: Database, clock: ManualClock
) -> None:
    target = (await service.add_location(HERE, KONTROL)).target
    clock.advance(60)
    now = clock.now()
    await wait(database, target.id, submission(1, at=now), submission(2, at=now), due_at=now, found_at=now)
    async with database.write() as session:
        before = await notifications.unsent(session, HERE.channel_id)
        carried = [each for each in await queries.leaving(session, HERE.channel_id, now) if each.submission.id == 1]
        await queries.save_message(session, HERE.channel_id, "a-nonce", carried, now)
        await notifications.update_waiting(session, [replace(each, target_id=None) for each in before])
    after = await outbox(database)
    assert {number: row.state for number, row in after.items()} == {1: "pending", 2: "cancelled"}
    assert after[1].target_id == target.id


async def test_several_kinds_are_stored_as_text_and_read_back(service: TargetService, database: Database) -> None:
    await service.set_kinds(HERE, kinds_of("scores", "machines"))
    async with database.read() as session:
        (stored,) = await session.scalars(text("SELECT notification_types FROM channel_configs"))
    assert stored == "machines,scores"
    channel = await service.channel(HERE.channel_id)
    assert channel is not None
    assert channel.kinds == kinds_of("machines", "scores")


async def test_a_submission_comes_back_with_its_sentence_and_score(database: Database, clock: ManualClock) -> None:
    row = replace(submission(7), sentence="Somebody scored.", high_score=2**40)
    async with database.write() as session:
        await channels.ensure(session, HERE, clock.now())
        await submissions.remember(session, [row])
        await seen.mark_seen(session, [(HERE.channel_id, 7)], clock.now())
    async with database.read() as session:
        assert await seen.latest_shown(session, HERE.channel_id, None, 5) == [row]
        assert await seen.latest_shown(session, HERE.channel_id, {"new_condition"}, 5) == []
