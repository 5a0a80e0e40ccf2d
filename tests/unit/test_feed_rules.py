"""When to look, how far back, and what settles itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.feed import schedule
from dispinmap.feed.cursor import OVERLAP, Cursor, advance, keep_walking, reaches, read_back_to, unknown
from dispinmap.feed.settle import GRACE, Settling, hold_until, returns, settle
from dispinmap.matching.promises import Held, Promise
from dispinmap.pinballmap.models import Submission, SubmissionType
from tests.fakes.values import NOON, submission

MINUTE = timedelta(minutes=1)
WINDOW = timedelta(minutes=5)
SETTLING = Settling(WINDOW, MINUTE)
ADDED, REMOVED = SubmissionType.NEW_LMX, SubmissionType.REMOVE_MACHINE


@pytest.mark.parametrize(
    ("smallest", "expected"), [(1, 1), (5, 5), (15, 15), (60, 15), (0, 1)], ids=lambda minutes: f"{minutes}min"
)
def test_the_interval_is_the_smallest_poll_rate_within_its_bounds(smallest: int, expected: int) -> None:
    assert schedule.interval(smallest * MINUTE, MINUTE) == expected * MINUTE


@given(st.integers(1, 10_000), st.floats(0, 1e5) | st.none())
def test_after_a_failure_nobody_asks_sooner_than_usual_or_than_the_server_allows(
    failures: int, retry_after: float | None
) -> None:
    again = schedule.after_failure(NOON, MINUTE, failures, retry_after)
    assert again >= NOON + MINUTE
    assert again >= NOON + timedelta(seconds=retry_after or 0)
    assert again <= NOON + max(schedule.LONGEST_INTERVAL, timedelta(seconds=retry_after or 0))


def test_the_next_poll_is_an_interval_after_the_last_and_at_once_if_the_clock_was_put_back() -> None:
    assert schedule.next_poll(None, MINUTE, NOON) == NOON
    assert schedule.next_poll(NOON, MINUTE, NOON) == NOON + MINUTE
    assert schedule.next_poll(NOON + timedelta(days=999), MINUTE, NOON) == NOON
    assert schedule.is_fresh(NOON, NOON)
    assert not schedule.is_fresh(NOON + timedelta(days=999), NOON)


def test_the_feed_is_read_back_over_an_overlap_but_never_into_history() -> None:
    cursor = Cursor(history_until=NOON, created_at=NOON + timedelta(hours=1), last_polled_at=NOON)
    assert read_back_to(cursor, NOON) == cursor.created_at - OVERLAP
    assert read_back_to(replace(cursor, created_at=NOON), NOON - timedelta(days=9)) == NOON
    assert read_back_to(cursor, NOON + timedelta(hours=3)) == NOON + timedelta(hours=3)


def test_rows_reach_back_when_one_of_them_is_old_enough() -> None:
    assert reaches([submission(at=NOON)], NOON)
    assert not reaches([submission(at=NOON)], NOON - MINUTE)
    assert not reaches([], NOON)


def test_a_long_gap_is_walked_only_while_that_is_fewer_requests_than_asking_for_every_place() -> None:
    newest, oldest = NOON, NOON - timedelta(hours=20)  # 20 pages, an hour each
    assert keep_walking(19, newest, oldest, NOON - timedelta(days=999), lookups=1)
    assert keep_walking(20, newest, oldest, oldest - timedelta(hours=5), lookups=6)
    assert not keep_walking(20, newest, oldest, oldest - timedelta(hours=5), lookups=4)
    assert not keep_walking(200, newest, oldest, oldest - timedelta(hours=5), lookups=10_000)


def test_unknown_rows_come_oldest_first_and_once() -> None:
    rows = [submission(3, at=NOON + MINUTE), submission(2), submission(2), submission(1)]
    assert [row.id for row in unknown(rows, {1})] == [2, 3]


def test_the_cursor_never_goes_back() -> None:
    cursor = Cursor(NOON, NOON, NOON)
    later = NOON + MINUTE
    assert advance(cursor, [submission(at=NOON - MINUTE)], later) == Cursor(NOON, NOON, later)
    assert advance(cursor, [submission(at=later)], later).created_at == later


def test_no_row_and_no_clock_moves_the_cursor_into_the_future() -> None:
    future = NOON + timedelta(days=999)
    assert advance(Cursor(NOON, NOON), [submission(at=future)], NOON) == Cursor(NOON, NOON, NOON)
    assert advance(Cursor(future, future, future), [], NOON) == Cursor(NOON, NOON, NOON)


machine_rows = st.lists(
    st.builds(
        lambda id_, type_, seconds, machine: submission(
            id_, type=type_, at=NOON + timedelta(seconds=seconds), machine_id=machine
        ),
        st.integers(1, 10_000),
        st.sampled_from([ADDED, REMOVED, SubmissionType.NEW_CONDITION]),
        st.integers(0, 1200),
        st.integers(1, 3) | st.none(),
    ),
    max_size=30,
    unique_by=lambda row: row.id,
)


@given(machine_rows)
def test_pairs_are_a_removal_and_a_later_addition_of_the_same_machine_within_the_window(
    rows: list[Submission],
) -> None:
    pairs = returns(rows, WINDOW)
    used = [row.id for pair in pairs for row in pair]
    assert len(used) == len(set(used))
    for removal, addition in pairs:
        assert (removal.type, addition.type) == (REMOVED, ADDED)
        assert removal.machine_id == addition.machine_id is not None
        assert timedelta(0) <= addition.created_at - removal.created_at <= WINDOW


def _promises(rows: Sequence[Submission], channel_id: int = 10) -> list[Promise]:
    return [Promise(channel_id, 1, row, NOON) for row in rows]


def test_a_machine_that_comes_back_in_time_is_no_news() -> None:
    rows = [submission(1, type=REMOVED), submission(2, type=ADDED, at=NOON + WINDOW)]
    result = settle(_promises(rows), rows, [], NOON + WINDOW, SETTLING)
    assert (result.promises, result.cancelled) == ([], frozenset())


def test_a_machine_that_comes_back_too_late_is_news_twice() -> None:
    rows = [submission(1, type=REMOVED), submission(2, type=ADDED, at=NOON + WINDOW + MINUTE)]
    result = settle(_promises(rows), rows, [], NOON + 2 * WINDOW, SETTLING)
    assert [promise.submission.id for promise in result.promises] == [1, 2]


def test_a_return_cancels_a_removal_that_is_still_held_and_is_news_where_it_has_left() -> None:
    removal = submission(1, type=REMOVED)
    addition = submission(2, type=ADDED, at=NOON + MINUTE)
    promises = _promises([addition], channel_id=10) + _promises([addition], channel_id=11)
    result = settle(promises, [addition], [Held(10, removal)], NOON + MINUTE, SETTLING)
    assert [promise.channel_id for promise in result.promises] == [11]
    assert result.cancelled == {(10, 1)}


def test_a_removal_that_shows_later_than_the_return_that_undid_it_is_no_news() -> None:
    removal = submission(1, type=REMOVED)
    addition = submission(2, type=ADDED, at=NOON + MINUTE)
    result = settle(_promises([removal]), [removal], [], NOON + MINUTE, SETTLING, known=[addition])
    assert (result.promises, result.cancelled) == ([], frozenset())


def test_without_a_window_even_a_swap_within_a_second_is_news() -> None:
    rows = [submission(1, type=REMOVED), submission(2, type=ADDED)]
    result = settle(_promises(rows), rows, [], NOON, Settling(timedelta(0), MINUTE))
    assert [promise.due_at for promise in result.promises] == [NOON, NOON]


def test_of_removed_added_removed_the_last_removal_is_announced() -> None:
    rows = [submission(n, type=kind, at=NOON + n * MINUTE) for n, kind in ((1, REMOVED), (2, ADDED), (3, REMOVED))]
    result = settle(_promises(rows), rows, [], NOON + 3 * MINUTE, SETTLING)
    assert [promise.submission.id for promise in result.promises] == [3]


def test_a_removal_of_the_future_is_held_no_longer_than_one_of_now() -> None:
    assert hold_until(NOON + timedelta(days=9999), NOON, SETTLING) == hold_until(NOON, NOON, SETTLING)


def test_additions_and_comments_are_never_held() -> None:
    rows = [submission(1, type=ADDED), submission(2, type=SubmissionType.NEW_CONDITION)]
    assert {promise.due_at for promise in settle(_promises(rows), rows, [], NOON, SETTLING).promises} == {NOON}


@given(st.integers(0, 3600), st.integers(0, 900), st.integers(1, 900))
def test_a_removal_leaves_after_the_first_poll_that_saw_its_whole_window(age: int, window: int, interval: int) -> None:
    removed_at = NOON - timedelta(seconds=age)
    settling = Settling(timedelta(seconds=window), timedelta(seconds=interval))
    until = hold_until(removed_at, NOON, settling)
    if removed_at + settling.window <= NOON:
        assert until == NOON
    else:
        poll = until - GRACE
        assert (poll - NOON) % settling.interval == timedelta(0)
        assert timedelta(0) <= poll - (removed_at + settling.window) < settling.interval
