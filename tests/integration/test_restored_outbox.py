"""After a restore: what the lost part of the database had posted is not posted again, and nothing else is lost."""

import shutil
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from dispinmap.database import copies
from dispinmap.database.engine import Database
from dispinmap.database.progress import silent
from dispinmap.database.queries import heartbeat, notifications, outbox, submissions
from dispinmap.database.tables import ChannelConfigRow, MessageRow, MonitoringTargetRow, NotificationRow
from dispinmap.discordbot.cards import measure
from dispinmap.outbox.batches import nonce
from dispinmap.outbox.destination import Card, OutgoingMessage
from dispinmap.outbox.sender import Sender
from tests.fakes.clock import ManualClock
from tests.fakes.destination import FakeDestination
from tests.fakes.pipeline import CHANNEL, Pipeline
from tests.fakes.values import GROUND_KONTROL, NOON, notification, submission
from tests.integration.test_delivery_troubles import KilledError, MortalDatabase

MONSTER_BASH = 641
SLOW = 11
TURNS = 8
COUNT = 12


def _file(database: Database) -> Path:
    return Path(database.url.removeprefix("sqlite:///"))


async def _mark_restored(pipeline: Pipeline) -> None:
    async with pipeline.database.write() as session:
        await heartbeat.mark_restored(session, pipeline.clock.now())
    pipeline.wire(pipeline.pinballmap)


async def _restore(pipeline: Pipeline, copy: Path) -> None:
    """The disk is lost; the backup takes its place, and the bot starts on it."""
    await pipeline.database.close()
    file = _file(pipeline.database)
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    shutil.copy(copy, file)
    pipeline.database = Database(pipeline.database.url)
    await _mark_restored(pipeline)


def _comment(pipeline: Pipeline) -> int:
    return pipeline.world.comment(GROUND_KONTROL, MONSTER_BASH, "plays well").id


async def _comments_due(pipeline: Pipeline, count: int) -> list[int]:
    """Promised to the channel, and not looked at by the sender yet."""
    pipeline.clock.advance(60)
    ids = [_comment(pipeline) for _ in range(count)]
    await pipeline.poller.poll()
    return ids


@pytest.mark.parametrize(("backed_up_after", "downtime"), [(0, 7200), (1, 1), (5, 1), (TURNS - 1, 7200)])
async def test_everything_stands_in_the_channels_once_whenever_the_backup_was_made(
    pipeline: Pipeline, tmp_path: Path, backed_up_after: int, downtime: float
) -> None:
    await pipeline.watch(kind="all")
    await pipeline.watch(SLOW, kind="all", poll_rate_minutes=5)
    pipeline.clock.advance(1)
    leaving = next(each.id for each in pipeline.world.location(GROUND_KONTROL).machines if each.id != MONSTER_BASH)
    expected = [pipeline.world.remove_machine(GROUND_KONTROL, leaving).id]
    for turn in range(TURNS):
        if turn == backed_up_after:
            copies.copy_database(_file(pipeline.database), tmp_path / "copy.db", silent)
        expected += [_comment(pipeline) for _ in range(2)]
        if turn in (0, 4):
            pipeline.destination.spoiled.add(expected[-2])
        await pipeline.turn()
    pipeline.clock.advance(downtime)
    await _restore(pipeline, tmp_path / "copy.db")
    for _ in range(TURNS):
        await pipeline.turn()
    once = dict.fromkeys(set(expected) - pipeline.destination.spoiled, 1)
    assert Counter(pipeline.shown(CHANNEL)) == Counter(pipeline.shown(SLOW)) == once
    await pipeline.database.close()


async def test_a_message_whose_attempt_the_backup_never_heard_of_is_found(pipeline: Pipeline, tmp_path: Path) -> None:
    await pipeline.watch(kind="comments")
    ids = await _comments_due(pipeline, 3)
    copies.copy_database(_file(pipeline.database), tmp_path / "copy.db", silent)
    await pipeline.sender.drain()
    await _restore(pipeline, tmp_path / "copy.db")
    await pipeline.sender.drain()
    assert pipeline.shown() == ids
    async with pipeline.database.read() as session:
        assert list(await session.scalars(select(NotificationRow.state))) == ["sent"] * 3
        assert (await session.scalars(select(MessageRow.posted_id))).one() == 1
    await pipeline.database.close()


async def test_one_look_tells_about_everything_that_is_due_in_a_channel(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="comments")
    await _comments_due(pipeline, 100)
    await _mark_restored(pipeline)
    await pipeline.sender.drain()
    assert len(pipeline.destination.posts) > 1
    assert pipeline.destination.searches == 1


@pytest.mark.parametrize("promised", [True, False])
async def test_a_clock_behind_pinball_maps_does_not_hide_what_was_posted(
    pipeline: Pipeline, tmp_path: Path, *, promised: bool
) -> None:
    await pipeline.watch(kind="comments")
    if not promised:
        copies.copy_database(_file(pipeline.database), tmp_path / "copy.db", silent)
    ids = await _comments_due(pipeline, 3)
    if promised:
        copies.copy_database(_file(pipeline.database), tmp_path / "copy.db", silent)
    await pipeline.sender.drain()
    pipeline.clock.advance(-3600)
    await _restore(pipeline, tmp_path / "copy.db")
    if not promised:
        await pipeline.poller.poll()
        # Some of it may be due only once our clock has come so far.
        pipeline.clock.advance(3600)
    await pipeline.sender.drain()
    pipeline.clock.advance(7200)
    await pipeline.sender.drain()
    assert pipeline.shown() == ids
    await pipeline.database.close()


@pytest.mark.parametrize(
    ("newest", "until"),
    [
        (None, NOON),
        (NOON - timedelta(days=9), NOON),
        (NOON + timedelta(hours=1), NOON + timedelta(hours=1)),
        (NOON + timedelta(days=999), NOON + timedelta(days=1)),
    ],
)
def test_what_is_in_doubt_ends_with_what_may_have_been_posted_but_a_wrong_row_does_not_make_it_endless(
    newest: datetime | None, until: datetime
) -> None:
    assert heartbeat.in_doubt_until(NOON, newest) == until


async def test_what_was_created_after_the_restore_is_posted_without_a_look(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="comments")
    await _mark_restored(pipeline)
    await pipeline.poller.poll()
    pipeline.clock.advance(600)
    ids = await _comments_due(pipeline, 3)
    await pipeline.sender.drain()
    assert (pipeline.shown(), pipeline.destination.searches) == (ids, 0)


async def test_if_the_history_cannot_be_read_nothing_is_posted_blindly(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="comments")
    ids = await _comments_due(pipeline, 3)
    pipeline.destination.unreadable = {CHANNEL}
    await _mark_restored(pipeline)
    await pipeline.sender.drain()
    await pipeline.turn(300)
    assert pipeline.shown() == []
    pipeline.destination.unreadable = set()
    await pipeline.turn(3600)
    assert pipeline.shown() == ids


NUMBERS = list(range(1, COUNT + 1))
Groups = Mapping[int, int]
groups = st.dictionaries(st.sampled_from(NUMBERS), st.integers(0, 4))
"""Submission → which message carries it; those left out are in none."""


@settings(max_examples=20)
@given(
    posted=groups,
    saved=groups,
    noted=st.sets(st.integers(0, 4)),
    downtime=st.sampled_from([1, 3600]),
    writes_left=st.none() | st.integers(0, 8),
    is_committed=st.booleans(),
)
async def test_after_any_posts_in_any_messages_the_rest_is_posted_once(
    migrated_file: Path,
    posted: Groups,
    saved: Groups,
    noted: set[int],
    downtime: float,
    writes_left: int | None,
    *,
    is_committed: bool,
) -> None:
    with TemporaryDirectory() as folder:
        clock = ManualClock()
        database = MortalDatabase(f"sqlite:///{shutil.copy(migrated_file, folder)}")
        destination = FakeDestination(clock)
        await _remember(database, saved, noted)
        for group in set(posted.values()):
            await destination.send(_message([number for number in posted if posted[number] == group]))
        clock.advance(downtime)
        async with database.write() as session:
            await heartbeat.mark_restored(session, clock.now())
        database.writes_left, database.is_committed = writes_left, is_committed
        try:
            await Sender(database, destination, clock, measure, settle_window=timedelta(0)).drain()
        except KilledError:
            database.writes_left = None
            await Sender(database, destination, clock, measure, settle_window=timedelta(0)).drain()
        await database.close()
    assert Counter(destination.shown(CHANNEL)) == dict.fromkeys(NUMBERS, 1)


def _message(numbers: list[int]) -> OutgoingMessage:
    cards = tuple(Card((notification(submission(number)),)) for number in numbers)
    return OutgoingMessage(CHANNEL, nonce(CHANNEL, numbers), cards)


async def _remember(database: Database, saved: Groups, noted: set[int]) -> None:
    """Everything is promised; `saved` are in messages, of which the attempts of the `noted` ones are known."""
    rows = [submission(number, location_id=number, at=NOON - timedelta(minutes=number)) for number in NUMBERS]
    async with database.write() as session:
        await session.execute(insert(ChannelConfigRow).values(channel_id=CHANNEL, guild_id=1))
        await session.execute(
            insert(MonitoringTargetRow).values(id=1, channel_id=CHANNEL, target_type="location", target_name="anywhere")
        )
        await submissions.remember(session, rows)
        await notifications.save(session, [notification(row, channel_id=CHANNEL) for row in rows], NOON)
        due = {each.submission.id: each for each in await outbox.leaving(session, CHANNEL, NOON)}
        for group in sorted(set(saved.values())):
            items = [due[number] for number in sorted(saved) if saved[number] == group]
            name = nonce(CHANNEL, [each.submission.id for each in items])
            message = await outbox.save_message(session, CHANNEL, name, items, NOON)
            if group in noted:
                await outbox.begin_attempt(session, message, NOON)
