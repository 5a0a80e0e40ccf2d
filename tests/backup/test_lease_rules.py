"""The rules for taking a lease, and its content."""

import errno
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.backup.errors import BackupError, StorageRefused
from dispinmap.backup.lease import rules
from dispinmap.backup.lease.locked_file import _translated
from dispinmap.backup.lease.record import decode, encode, renewed, taken
from dispinmap.backup.models import LeaseRecord

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HELD = LeaseRecord(holder="a", host="one", renewed_at=NOW, seconds=60, released=False)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- as hypothesis wants them
records = st.builds(
    LeaseRecord,
    holder=st.text(min_size=1),
    host=st.text(),
    renewed_at=times,
    seconds=st.floats(0.1, 600),
    released=st.booleans(),
    writer=st.none() | st.text(),
    heartbeat_at=st.none() | times,
    writer_renewed_at=st.none() | times,
)
some_seconds = st.floats(5, 600)


@given(records, st.text())
def test_a_record_is_read_as_it_was_written(record: LeaseRecord, nonce: str) -> None:
    assert decode(encode(record, nonce), "gcs://b/db.lease") == record


def test_two_writes_of_the_same_record_differ_by_their_nonce() -> None:
    assert encode(HELD, "1") != encode(HELD, "2")


def test_keys_of_a_later_version_are_ignored() -> None:
    data = json.dumps(json.loads(encode(HELD)) | {"colour": "red"}).encode()
    assert decode(data + b"   ", "x") == HELD


@pytest.mark.parametrize(
    "change",
    [{"holder": ""}, {"seconds": 0}, {"seconds": "many"}, {"renewed_at": "2026-03-01T12:00:00"}, {"released": None}],
    ids=str,
)
def test_a_malformed_record_is_refused_with_its_name_and_the_cure(change: dict[str, object]) -> None:
    data = json.dumps(json.loads(encode(HELD)) | change).encode()
    with pytest.raises(BackupError, match=r"gcs://b/db\.lease is not a lease .* delete it"):
        decode(data, "gcs://b/db.lease")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"null", encode(HELD)[:-9]])
def test_what_is_damaged_is_refused(data: bytes) -> None:
    with pytest.raises(BackupError):
        decode(data, "x")


def test_starts_that_write_nothing_do_not_count_as_the_writer() -> None:
    record = renewed(HELD, NOW, HELD.holder, None, released=True)
    assert record.written_until == NOW
    for hours in (1, 2):
        later = NOW + timedelta(hours=hours)
        record = renewed(taken(record, f"failing {hours}", 60, later), later, None, None, released=True)
        assert (record.renewed_at, record.written_until) == (later, NOW)
    assert taken(None, "first", 60, NOW).written_until == NOW
    record = renewed(taken(record, "writing", 60, later), later, "writing", None, released=False)
    assert record.written_until == later


def test_a_new_holder_keeps_whose_data_it_is_until_it_has_written() -> None:
    before = LeaseRecord("a", "one", NOW, 60, released=True, writer="w", heartbeat_at=NOW)
    mine = taken(before, "b", 30, NOW + timedelta(hours=1))
    assert (mine.holder, mine.writer, mine.heartbeat_at, mine.seconds, mine.released) == ("b", "w", NOW, 30, False)
    assert renewed(mine, NOW, "b", None, released=False).writer == "b"
    assert renewed(mine, NOW, None, None, released=True).heartbeat_at == NOW
    assert taken(None, "b", 30, NOW).writer is None


@given(some_seconds, st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.0, 10.0), st.floats(-0.1, 0.1))
def test_a_holder_gives_up_before_another_may_take_over(
    seconds: float, sent: float, offset: float, travelled: float, drift: float
) -> None:
    """`offset` is the difference of the two machines' clocks, `drift` how much faster one runs."""
    record = LeaseRecord("a", "one", NOW, seconds, released=False)
    watcher_saw = (sent + travelled) * (1 + drift) + offset
    seen = rules.sighting(None, record, "v", watcher_saw)
    given_up = sent + rules.trusted_for(seconds)
    assert not rules.may_take(seen, given_up * (1 + drift) + offset - 1e-6)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 30)), min_size=1))
def test_time_counts_from_when_a_version_was_first_seen(reads: list[tuple[str, float]]) -> None:
    seen: rules.Sighting | None = None
    now, since, last = 0.0, 0.0, ""
    for version, pause in reads:
        now += pause
        since = now if version != last else since
        last = version
        seen = rules.sighting(seen, HELD, version, now)
        assert rules.may_take(seen, now) == (now - since >= HELD.seconds)


def test_the_time_that_counts_is_the_holders_own() -> None:
    seen = rules.sighting(None, LeaseRecord("a", "one", NOW, 300, released=False), "v", 0)
    assert not rules.may_take(seen, 299)
    assert rules.may_take(seen, 300)


def test_what_was_released_is_taken_at_once() -> None:
    seen = rules.sighting(None, LeaseRecord("a", "one", NOW, 300, released=True), "v", 0)
    assert rules.may_take(seen, 0)
    assert not rules.looks_alive(seen.record, NOW)


def test_a_holder_looks_alive_as_long_as_it_has_renewed_lately() -> None:
    assert rules.looks_alive(HELD, NOW + timedelta(seconds=59))
    assert rules.looks_alive(HELD, NOW - timedelta(seconds=59))
    assert not rules.looks_alive(HELD, NOW + timedelta(seconds=61))


@given(some_seconds)
def test_there_is_time_to_try_again_before_the_trust_runs_out(seconds: float) -> None:
    assert rules.renewal_interval(seconds) + 5 * rules.retry_pause(seconds) < rules.trusted_for(seconds) < seconds


def test_the_sentence_names_holder_host_time_and_cure() -> None:
    record = LeaseRecord("abc", "host-1", NOW.astimezone(timezone(timedelta(0))), 60, released=False)
    sentence = rules.held_sentence("gcs://b/db", record)
    for part in ("gcs://b/db", "abc", "host-1", "2026-03-01 12:00:00 UTC", "stop that bot", "within 60 seconds"):
        assert part in sentence


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_refused_instead_of_waited_for(tmp_path: Path, number: int) -> None:
    with pytest.raises(StorageRefused, match="file system that knows locks"), _translated(tmp_path / "db.lease"):
        raise OSError(number, "No locks available")
