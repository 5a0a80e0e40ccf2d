"""The two questions of a notification: when its channel wants it, and when it can no longer be undone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dispinmap.outbox.due import reconsidered, undone, when_due, when_settled
from dispinmap.outbox.models import Notification
from dispinmap.pinballmap.models import Submission, SubmissionType
from dispinmap.targets.models import Area, Channel, WatchedTarget
from tests.fakes.values import NOON, kinds_of, submission, watched

MINUTE = timedelta(minutes=1)
WINDOW = timedelta(minutes=5)
PORTLAND = Area(45.52, -122.68, 25)
ADDED, REMOVED, COMMENT = SubmissionType.NEW_LMX, SubmissionType.REMOVE_MACHINE, SubmissionType.NEW_CONDITION


def waiting(
    id_: int = 1,
    *,
    target_id: int | None = 1,
    type_: str = ADDED,
    due_at: datetime = NOON + timedelta(hours=1),
    settles_at: datetime | None = NOON,
) -> Notification:
    return Notification(10, target_id, submission(id_, type=type_), due_at, settles_at, id=id_)


def served(ago: timedelta, *, rate: int = 60, id_: int = 1) -> WatchedTarget:
    """A target with a poll rate of its own, whose last message left so long ago."""
    one = watched(id=id_, poll_rate_minutes=rate)
    return replace(one, target=replace(one.target, served_at=NOON - ago))


def test_the_first_news_after_a_quiet_spell_is_due_at_once() -> None:
    assert when_due(watched(), NOON) == NOON
    assert when_due(served(timedelta(hours=2)), NOON) == NOON


def test_what_follows_a_message_waits_for_the_poll_rate() -> None:
    assert when_due(served(10 * MINUTE), NOON) == NOON + 50 * MINUTE


def test_a_target_without_a_rate_of_its_own_shares_the_rhythm_of_its_channel() -> None:
    channel = Channel(10, 1, poll_rate_minutes=30, served_at=NOON - 10 * MINUTE)
    assert when_due(watched(channel=channel), NOON) == NOON + 20 * MINUTE
    assert when_due(watched(channel=channel, poll_rate_minutes=1), NOON) == NOON


@given(st.integers(1, 10_080), st.floats(-1e6, 1e9))
def test_no_wait_exceeds_the_poll_rate_even_if_the_clock_changed(rate: int, served_ago: float) -> None:
    due_at = when_due(served(timedelta(seconds=served_ago), rate=rate), NOON)
    assert NOON <= due_at <= NOON + rate * MINUTE


def test_only_a_removal_waits_for_the_end_of_its_window() -> None:
    assert when_settled(submission(type=REMOVED), NOON + MINUTE, WINDOW) == NOON + WINDOW
    assert when_settled(submission(type=ADDED), NOON + MINUTE, WINDOW) == NOON
    assert when_settled(submission(type=COMMENT), NOON + MINUTE, WINDOW) == NOON


def test_a_removal_from_the_future_is_settled_no_later_than_one_of_now() -> None:
    assert when_settled(submission(type=REMOVED, at=NOON + timedelta(days=9999)), NOON, WINDOW) == NOON + WINDOW


def test_a_return_within_the_window_undoes_a_removal_and_a_later_one_does_not() -> None:
    removal = submission(1, type=REMOVED)
    for seconds, expected in ((300, True), (301, False)):
        addition = submission(2, type=ADDED, at=NOON + timedelta(seconds=seconds))
        assert (undone([addition, removal], WINDOW) == [(removal, addition)]) is expected


def test_of_removed_added_removed_the_last_removal_stands() -> None:
    rows = [submission(n, type=kind, at=NOON + n * MINUTE) for n, kind in ((1, REMOVED), (2, ADDED), (3, REMOVED))]
    assert undone(rows, WINDOW) == [(rows[0], rows[1])]


def test_without_a_window_nothing_is_undone() -> None:
    assert undone([submission(1, type=REMOVED), submission(2, type=ADDED)], timedelta(0)) == []


machine_rows = st.lists(
    st.builds(
        lambda id_, type_, seconds, machine: submission(
            id_, type=type_, at=NOON + timedelta(seconds=seconds), machine_id=machine
        ),
        st.integers(1, 10_000),
        st.sampled_from([ADDED, REMOVED, COMMENT]),
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
    pairs = undone(rows, WINDOW)
    used = [row.id for pair in pairs for row in pair]
    assert len(used) == len(set(used))
    for removal, addition in pairs:
        assert (removal.type, addition.type) == (REMOVED, ADDED)
        assert removal.machine_id == addition.machine_id is not None
        assert timedelta(0) <= addition.created_at - removal.created_at <= WINDOW


def _reconsidered(each: Notification, targets: Sequence[WatchedTarget]) -> Notification:
    (after,) = reconsidered([each], targets, NOON, WINDOW)
    return after


def test_what_no_target_wants_any_more_has_no_target() -> None:
    elsewhere = watched(id=2, location_id=1)
    comments_only = watched(id=3, kinds=kinds_of("comments"))
    assert _reconsidered(waiting(), [elsewhere, comments_only]).target_id is None


def test_what_another_target_wants_goes_to_it_with_its_circle() -> None:
    after = _reconsidered(waiting(), [watched(id=2, location_id=1), watched(id=3, area=PORTLAND)])
    assert (after.target_id, after.area) == (3, PORTLAND)


def test_a_target_inherits_nothing_that_is_older_than_itself() -> None:
    younger = watched(id=2, area=PORTLAND, created_at=NOON + timedelta(seconds=1))
    assert _reconsidered(waiting(), [younger]).target_id is None


def test_only_what_its_target_no_longer_wants_leaves_it() -> None:
    targets = [watched(id=1, kinds=kinds_of("comments")), watched(id=2, area=PORTLAND)]
    assert _reconsidered(waiting(), targets).target_id == 2
    assert _reconsidered(waiting(type_=COMMENT), targets).target_id == 1


def test_another_poll_rate_changes_when_it_is_due_either_way() -> None:
    assert _reconsidered(waiting(), [served(4 * MINUTE, rate=10)]).due_at == NOON + 6 * MINUTE
    assert _reconsidered(waiting(), [served(4 * MINUTE, rate=1)]).due_at == NOON
    assert _reconsidered(waiting(due_at=NOON), [served(4 * MINUTE, rate=600)]).due_at == NOON + 596 * MINUTE


def test_no_change_of_settings_settles_a_removal() -> None:
    removal = waiting(type_=REMOVED, settles_at=NOON + 3 * MINUTE)
    assert _reconsidered(removal, [served(timedelta(hours=1), rate=1)]).settles_at == NOON + 3 * MINUTE


def test_what_a_clock_ahead_put_far_away_comes_back_when_the_clock_is_right() -> None:
    future = NOON + timedelta(days=365)
    after = _reconsidered(waiting(type_=REMOVED, due_at=future, settles_at=future), [served(-timedelta(days=365))])
    assert (after.due_at, after.settles_at) == (NOON + 60 * MINUTE, NOON + WINDOW)
