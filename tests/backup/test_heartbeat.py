"""The heartbeats in the lease, and which database they make the newest."""

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
def test_the_newest_database_has_the_last_writer_and_every_heartbeat(
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
def test_a_later_heartbeat_of_an_unknown_bot_is_from_elsewhere(local: Heartbeat, *, later: bool) -> None:
    assert is_later_elsewhere(local, LEASE) is later


class SlowCommits(ManualClock):
    """A clock that moves a second with each look."""

    def now(self) -> datetime:
        self.advance(1)
        return super().now()


async def test_a_check_from_before_the_commit_does_not_confirm_the_heartbeat(database: Database) -> None:
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
async def test_a_clock_set_back_lowers_the_lease_before_the_heartbeat(database: Database, unanswered: int) -> None:
    clock, diary = ManualClock(), Diary()
    lease = RecordingLease(diary, None)
    lease.unanswered = unanswered
    heartbeat_writer = HeartbeatWriter(database, clock, RecordingReplication(diary), lease)
    await heartbeat_writer.beat()
    assert diary.entries == []
    clock.advance(-3600)
    await heartbeat_writer.beat()
    assert diary.entries == ["heartbeat noted", "signature lost" if unanswered else "lease signed"]
