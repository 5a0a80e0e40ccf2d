"""What a change of targets means for notifications that wait."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from dispinmap.pinballmap.models import SubmissionType
from dispinmap.targets.models import Area
from dispinmap.targets.waiting import HandOver, Waiting, hastened, without_target, without_unwanted
from tests.fakes.values import NOON, kinds_of, submission, watched

WINDOW = timedelta(minutes=5)
PORTLAND = Area(45.52, -122.68, 25)


def waits(
    id_: int = 1,
    *,
    target_id: int = 1,
    type_: str = SubmissionType.NEW_LMX,
    due_in: timedelta = timedelta(hours=1),
    age: timedelta = timedelta(0),
) -> Waiting:
    return Waiting(id_, target_id, submission(id_, type=type_), NOON + due_in, NOON - age)


def test_what_nobody_else_wants_is_cancelled() -> None:
    elsewhere = watched(id=2, location_id=1)
    comments_only = watched(id=3, kinds=kinds_of("comments"))
    assert without_target([waits(7)], [elsewhere, comments_only]) == [HandOver(7, None)]


def test_what_another_target_wants_is_handed_to_it() -> None:
    assert without_target([waits(7)], [watched(id=2, location_id=1), watched(id=3, area=PORTLAND)]) == [HandOver(7, 3)]


def test_a_target_inherits_nothing_that_is_older_than_itself() -> None:
    younger = watched(id=2, area=PORTLAND, created_at=NOON + timedelta(seconds=1))
    assert without_target([waits(7)], [younger]) == [HandOver(7, None)]


def test_only_what_its_target_no_longer_wants_is_withdrawn() -> None:
    comments = watched(id=1, kinds=kinds_of("comments"))
    comment = waits(8, type_=SubmissionType.NEW_CONDITION)
    assert without_unwanted([waits(7), comment], [comments]) == [HandOver(7, None)]


def test_another_target_may_still_want_it() -> None:
    targets = [watched(id=1, kinds=kinds_of("comments")), watched(id=2, area=PORTLAND)]
    assert without_unwanted([waits(7)], targets) == [HandOver(7, 2)]


def test_a_faster_poll_rate_brings_forward() -> None:
    served = watched(poll_rate_minutes=10, last_checked_at=NOON - timedelta(minutes=4))
    assert hastened([waits(7)], [served], NOON, WINDOW) == {7: NOON + timedelta(minutes=6)}


def test_what_would_have_been_due_before_now_is_due_now() -> None:
    served = watched(poll_rate_minutes=1, last_checked_at=NOON - timedelta(minutes=4))
    assert hastened([waits(7)], [served], NOON, WINDOW) == {7: NOON}


def test_a_slower_poll_rate_puts_nothing_off() -> None:
    served = watched(poll_rate_minutes=600, last_checked_at=NOON)
    assert hastened([waits(7)], [served], NOON, WINDOW) == {}


def test_a_removal_stays_held_for_the_settle_window() -> None:
    served = watched(poll_rate_minutes=1, last_checked_at=NOON - timedelta(hours=1))
    removal = waits(7, type_=SubmissionType.REMOVE_MACHINE, age=timedelta(minutes=2))
    assert hastened([removal], [served], NOON, WINDOW) == {7: NOON + timedelta(minutes=3)}


def test_what_waits_for_another_target_is_left_alone() -> None:
    assert hastened([waits(7, target_id=9)], [watched(poll_rate_minutes=1)], NOON, WINDOW) == {}


@given(
    rate=st.integers(1, 10_000),
    checked=st.integers(0, 10_000),
    due=st.integers(-100, 10_000),
    age=st.integers(0, 100),
    type_=st.sampled_from([SubmissionType.NEW_LMX, SubmissionType.NEW_CONDITION, SubmissionType.REMOVE_MACHINE]),
)
def test_nothing_becomes_later_or_leaves_its_hold(rate: int, checked: int, due: int, age: int, type_: str) -> None:
    each = waits(1, type_=type_, due_in=timedelta(minutes=due), age=timedelta(minutes=age))
    target = watched(poll_rate_minutes=rate, last_checked_at=NOON - timedelta(minutes=checked))
    for due_at in hastened([each], [target], NOON, WINDOW).values():
        assert NOON <= due_at < each.due_at
        if type_ == SubmissionType.REMOVE_MACHINE:
            assert due_at >= each.created_at + WINDOW
