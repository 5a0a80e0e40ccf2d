"""When to look, and how far back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.feed import schedule
from dispinmap.feed.cursor import (
    OVERLAP,
    SHARED_ROWS,
    Cursor,
    advance,
    new_rows,
    next_page,
    pages_left,
    reaches,
    read_back_to,
    read_without_gap,
)
from tests.fakes.values import NOON, submission

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("smallest", "expected"), [(1, 1), (5, 5), (15, 15), (60, 15), (0, 1)], ids=lambda minutes: f"{minutes}min"
)
def test_the_interval_is_the_smallest_poll_rate_within_its_bounds(smallest: int, expected: int) -> None:
    assert schedule.interval(smallest * MINUTE, MINUTE) == expected * MINUTE


@given(st.integers(1, 10_000), st.floats(0, 1e5) | st.none())
def test_after_a_failure_no_request_is_sooner_than_usual_or_allowed(failures: int, retry_after: float | None) -> None:
    pause = schedule.pause_after_failure(MINUTE, failures, retry_after)
    asked = timedelta(seconds=retry_after or 0)
    assert max(MINUTE, asked) <= pause <= max(schedule.LONGEST_INTERVAL, asked)


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


def test_the_pages_left_follow_from_how_often_news_come() -> None:
    rows = [submission(n, at=NOON - n * MINUTE) for n in range(101)]  # 2 pages in 100 minutes
    assert pages_left(rows, NOON - 600 * MINUTE) == pytest.approx(10, rel=0.02)
    assert pages_left([submission(1), submission(2)], NOON - MINUTE) == float("inf")


@given(st.integers(0, 100_000))
def test_the_next_page_overlaps_what_was_read_and_brings_new_rows(read: int) -> None:
    page = next_page(read)
    assert 25 < page.limit <= 50
    assert page.begins_at <= max(read - SHARED_ROWS, 0)
    assert page.ends_at > read
    if read > 200:
        assert page.ends_at - read > 20


def test_progress_is_the_part_of_the_gap_that_was_read() -> None:
    gap = Cursor(NOON, NOON, NOON, reading_since=NOON + 100 * MINUTE, unread_before=NOON + 75 * MINUTE)
    assert gap.progress == 0.25
    assert replace(gap, unread_before=None).progress == 1
    assert replace(gap, unread_before=NOON - MINUTE).progress == 1
    assert replace(gap, created_at=NOON + 100 * MINUTE).progress == 1


def test_unknown_rows_come_oldest_first_and_once() -> None:
    rows = [submission(3, at=NOON + MINUTE), submission(2), submission(2), submission(1)]
    assert [row.id for row in new_rows(rows, {1})] == [2, 3]


def test_the_cursor_never_goes_back() -> None:
    cursor = Cursor(NOON, NOON, NOON)
    later = NOON + MINUTE
    assert advance(cursor, [submission(at=NOON - MINUTE)], later) == cursor
    assert advance(cursor, [submission(at=later)], later).created_at == later


def test_no_row_and_no_clock_moves_the_cursor_into_the_future() -> None:
    future = NOON + timedelta(days=999)
    assert advance(Cursor(NOON, NOON), [submission(at=future)], NOON) == Cursor(NOON, NOON)
    assert read_without_gap(advance(Cursor(future, future, future), [], NOON), NOON) == Cursor(NOON, NOON, NOON)
