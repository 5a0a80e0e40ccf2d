from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.backup.errors import NoBackup, RestoreFailed
from dispinmap.backup.litestream03.generations import Plan, generations, holes, plan, restore_points
from dispinmap.backup.models import Replica, StorageKind
from dispinmap.backup.storage.store import StoredObject

REPLICA = Replica(StorageKind.GCS, "db", "bucket")
START = datetime(2026, 3, 1, tzinfo=UTC)
OLD, NEW = "f" * 16, "0123456789abcdef"


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def snapshot(index: int, seconds: float, generation: str = NEW) -> StoredObject:
    return StoredObject(f"db/generations/{generation}/snapshots/{index:08x}.snapshot.lz4", 10, after(seconds), "1")


def segment(index: int, offset: int, seconds: float, generation: str = NEW) -> StoredObject:
    return StoredObject(f"db/generations/{generation}/wal/{index:08x}_{offset:08x}.wal.lz4", 10, after(seconds), "1")


def positions(chosen: Plan) -> list[tuple[int, int]]:
    return [(one.index, one.offset) for one in chosen.segments]


TWO_GENERATIONS = [
    *(snapshot(0, 0, OLD), segment(0, 0, 1, OLD)),
    *(snapshot(0, 10), segment(0, 0, 11), segment(0, 4152, 12), segment(1, 0, 13)),
    *(snapshot(1, 14), segment(1, 8272, 15), segment(2, 0, 16)),
]


def test_the_newest_generation_is_the_one_stored_last_whatever_its_name() -> None:
    assert max(OLD, NEW) == OLD
    chosen = plan(REPLICA, TWO_GENERATIONS)
    assert (chosen.generation, chosen.snapshot.index, positions(chosen)) == (NEW, 1, [(1, 0), (1, 8272), (2, 0)])


def test_every_upload_after_a_snapshot_can_be_restored() -> None:
    listing = [segment(0, 0, 11), segment(0, 4152, 12), snapshot(1, 14), segment(1, 0, 15), segment(0, 0, 1, OLD)]
    assert [(point.kind, point.position) for point in restore_points(listing)] == [
        ("changes", "00000001_00000000"),
        ("snapshot", "00000001"),
    ]


def test_a_generation_can_be_named() -> None:
    assert plan(REPLICA, TWO_GENERATIONS, generation=OLD).generation == OLD
    with pytest.raises(NoBackup, match=f"has no generation {'a' * 16}, but {NEW}, {OLD}"):
        plan(REPLICA, TWO_GENERATIONS, generation="a" * 16)


@pytest.mark.parametrize(
    ("seconds", "generation", "index", "segments"),
    [
        (100, NEW, 1, [(1, 0), (1, 8272), (2, 0)]),
        (15.5, NEW, 1, [(1, 0), (1, 8272)]),
        (12, NEW, 0, [(0, 0), (0, 4152)]),
        (11, NEW, 0, [(0, 0)]),
        (9, OLD, 0, [(0, 0)]),
    ],
)
def test_a_time_means_the_last_state_stored_by_then(
    seconds: float, generation: str, index: int, segments: list[tuple[int, int]]
) -> None:
    chosen = plan(REPLICA, TWO_GENERATIONS, at=after(seconds))
    assert (chosen.generation, chosen.snapshot.index, positions(chosen)) == (generation, index, segments)


def test_a_snapshot_without_its_log_is_skipped() -> None:
    chosen = plan(REPLICA, TWO_GENERATIONS, at=after(14.5))
    assert (chosen.snapshot.index, positions(chosen)) == (0, [(0, 0), (0, 4152), (1, 0)])


def test_a_segment_of_the_same_second_may_be_older_than_the_snapshot() -> None:
    listing = [snapshot(0, 0), segment(0, 0, 1), segment(1, 0, 5), snapshot(1, 5)]
    assert plan(REPLICA, listing).snapshot.index == 0
    assert plan(REPLICA, [*listing, segment(1, 4152, 6)]).snapshot.index == 1


def test_a_snapshot_alone_is_taken_where_there_is_nothing_else() -> None:
    chosen = plan(REPLICA, [snapshot(0, 0)])
    assert (chosen.snapshot.index, positions(chosen), holes(chosen)) == (0, [], [])


def test_a_segment_stored_anew_later_ends_what_was_there_before() -> None:
    listing = [snapshot(0, 0), segment(0, 0, 1), segment(0, 4152, 9), segment(0, 8272, 3)]
    assert positions(plan(REPLICA, listing, at=after(5))) == [(0, 0)]


def test_a_time_before_everything_says_when_it_begins() -> None:
    with pytest.raises(NoBackup, match="it begins at 2026-03-01 00:00:00 UTC"):
        plan(REPLICA, TWO_GENERATIONS, at=after(-1))


def test_a_time_before_the_oldest_snapshot_that_is_kept_is_no_backup() -> None:
    with pytest.raises(NoBackup, match=r"no snapshot of 2026-03-01 00:00:02 UTC or before"):
        plan(REPLICA, [segment(0, 0, 1), snapshot(1, 5), segment(1, 0, 6)], at=after(2))


def test_changes_without_a_snapshot_are_a_failure() -> None:
    without = [one for one in TWO_GENERATIONS if "snapshots" not in one.key or OLD in one.key]
    with pytest.raises(RestoreFailed, match=f"Generation {NEW} of gcs://bucket/db has no snapshot, .*--generation"):
        plan(REPLICA, without)


@pytest.mark.parametrize(
    ("key", "sentence"),
    [("db/ltx/0/0000000000000001-0000000000000001.ltx", "Litestream 0.5, not of 0.3"), ("db/x", "check the address")],
)
def test_other_things_are_no_replica_and_the_sentence_says_what_they_are(key: str, sentence: str) -> None:
    with pytest.raises(NoBackup, match=sentence):
        plan(REPLICA, [StoredObject(key, 1, START, "1")])


def test_what_is_being_written_and_what_is_not_ours_is_passed_over() -> None:
    strange = [f"{snapshot(9, 0).key}.tmp", "db/generations/notes.txt", f"db/generations/{NEW}/wal/1_2.wal.lz4"]
    assert generations([StoredObject(key, 1, START, "1") for key in strange]) == []


def whole(first: int, lengths: Sequence[Sequence[int]]) -> list[StoredObject]:
    """A generation with a snapshot at `first`, then a log for each of `lengths`, those of its pieces."""
    listing, seconds = [snapshot(first, 0)], 1
    for index, pieces in enumerate(lengths, first):
        for number in range(len(pieces)):
            listing.append(segment(index, sum(pieces[:number]), seconds))
            seconds += 1
    return listing


LOGS = st.lists(st.lists(st.integers(32, 5_000_000), min_size=1, max_size=4), min_size=1, max_size=6)


@given(st.integers(0, 2**31), LOGS, st.randoms(use_true_random=False))
def test_a_whole_generation_has_no_hole_in_whatever_order_it_is_listed(
    first: int, logs: list[list[int]], random: Random
) -> None:
    listing = whole(first, logs)
    in_order = plan(REPLICA, listing)
    random.shuffle(listing)
    assert plan(REPLICA, listing) == in_order
    assert holes(in_order) == []
    assert len(in_order.segments) == sum(map(len, logs))


@given(LOGS, st.data())
def test_a_missing_beginning_of_a_log_that_is_not_the_last_is_always_seen(
    logs: list[list[int]], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(logs) - 1))
    listing = [one for one in whole(0, logs) if one.key != segment(index, 0, 0).key]
    is_tail = index == len(logs) - 1 and len(logs[index]) == 1
    assert bool(holes(plan(REPLICA, listing))) is not is_tail


@given(LOGS, st.floats(0, 30))
def test_a_time_never_brings_what_was_stored_after_it(logs: list[list[int]], seconds: float) -> None:
    everything = plan(REPLICA, whole(0, logs))
    chosen = plan(REPLICA, whole(0, logs), at=after(seconds))
    assert all(one.updated_at <= after(seconds) for one in chosen.objects)
    assert positions(chosen) == positions(everything)[: int(seconds)]


def test_a_missing_log_is_named() -> None:
    listing = [snapshot(0, 0), segment(0, 0, 1), segment(3, 32, 2)]
    assert holes(plan(REPLICA, listing)) == [
        f"Generation {NEW} has nothing of WAL 00000001 to 00000002.",
        f"Generation {NEW} has nothing of WAL 00000003 before byte 32.",
    ]
