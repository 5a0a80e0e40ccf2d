"""What the lease is told of the heartbeats, and which database they make the newest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dispinmap.backup.freshness import is_later_elsewhere, is_newest
from dispinmap.backup.heartbeat import EVERY, HeartbeatWriter
from dispinmap.backup.models import Heartbeat, LeaseRecord
from dispinmap.database.engine import Database
from tests.backup.recording_place import Diary, RecordingLease, RecordingReplication
from tests.fakes.clock import ManualClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE = LeaseRecord("a", "here", NOON, 60, False, "a", NOON)


@pytest.mark.parametrize(
    ("local", "lease", "newest"),
    [
        (None, None, True),
        (None, replace(LEASE, writer=None, heartbeat_at=None), True),
        (None, LEASE, False),
        (Heartbeat(NOON, "a", None), LEASE, True),
        (Heartbeat(NOON, "b", "a"), LEASE, True),
        (Heartbeat(NOON, "b", "c"), LEASE, False),
        (Heartbeat(NOON - SECOND, "a", None), LEASE, False),
        (Heartbeat(NOON - SECOND, "a", None), replace(LEASE, heartbeat_at=None), True),
    ],
)
def test_the_newest_database_was_written_last_and_lacks_nothing_that_the_replica_has(
    local: Heartbeat | None, lease: LeaseRecord | None, *, newest: bool
) -> None:
    assert is_newest(local, lease) is newest


@pytest.mark.parametrize(
    ("local", "later"),
    [
        (Heartbeat(NOON + SECOND, "b", "c"), True),
        (Heartbeat(NOON, "b", "c"), False),
        (Heartbeat(NOON + SECOND, "a", "c"), False),
        (Heartbeat(NOON + SECOND, "b", "a"), False),
    ],
)
def test_what_was_written_after_all_that_the_lease_knows_is_of_another_place(local: Heartbeat, *, later: bool) -> None:
    assert is_later_elsewhere(local, LEASE) is later


class SlowCommits(ManualClock):
    """Every look at the time finds it a second later."""

    def now(self) -> datetime:
        self.advance(1)
        return super().now()


async def test_a_look_that_began_before_the_commit_does_not_confirm_the_beat(database: Database) -> None:
    clock = SlowCommits()
    diary = Diary()
    lease, replication = RecordingLease(diary, None), RecordingReplication(diary)
    heartbeat_writer = HeartbeatWriter(database, clock, replication, lease)
    beat = await heartbeat_writer.beat()
    replication.caught_up_at = beat + SECOND / 2
    heartbeat_writer._confirm()
    assert lease.heartbeat_at is None
    replication.caught_up_at = beat + SECOND
    heartbeat_writer._confirm()
    assert lease.heartbeat_at == beat


async def test_a_clock_that_is_set_back_takes_back_what_the_lease_promised(database: Database) -> None:
    clock = ManualClock()
    diary = Diary()
    lease = RecordingLease(diary, None)
    heartbeat_writer = HeartbeatWriter(database, clock, RecordingReplication(diary), lease)
    lease.heartbeat_at = await heartbeat_writer.beat()
    clock.advance(-3600)
    assert await heartbeat_writer.beat() == lease.heartbeat_at
    clock.advance(EVERY.total_seconds())
    assert await heartbeat_writer.beat() > lease.heartbeat_at


@pytest.mark.parametrize("unanswered", [0, 1])
async def test_a_clock_that_is_set_back_is_in_the_lease_before_an_earlier_beat_is_in_the_database(
    database: Database, unanswered: int
) -> None:
    clock, diary = ManualClock(), Diary()
    lease = RecordingLease(diary, None)
    lease.unanswered = unanswered
    heartbeat_writer = HeartbeatWriter(database, clock, RecordingReplication(diary), lease)
    await heartbeat_writer.beat()
    assert diary.entries == []
    clock.advance(-3600)
    await heartbeat_writer.beat()
    assert diary.entries == ["heartbeat noted", "signature lost" if unanswered else "lease signed"]
