"""What keeps the bot from its work is said, and nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.health import (
    BACKUP_GRACE,
    BACKUP_OVERDUE,
    DELIVERY_OVERDUE,
    DRILL_GRACE,
    NOT_CONFIGURED,
    POLL_OVERDUE,
    RUNNING,
    BackupState,
    CatchUp,
    DrillState,
    HealthReport,
    Part,
    QueueState,
    age,
    counted,
    faults,
    judge,
    no_report,
)
from tests.fakes.values import NOON

WELL = HealthReport(
    now=NOON,
    started_at=NOON - timedelta(days=9),
    gateway_connected=True,
    last_good_poll_at=NOON - timedelta(minutes=14),
    last_poll_problem=None,
    newest_submission_at=NOON,
    queue=QueueState(oldest_due_at=NOON - timedelta(minutes=1)),
    requests={},
    malformed_rows=0,
    loops={"feed": RUNNING, "delivery": RUNNING},
    errors=3,
    database_revision="43d138bd38f5",
    head_revision="43d138bd38f5",
    backup=None,
    targets=1,
)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
PARTS = ["discord", "database", "pinballmap", "outbox", "loops", "backup", "drill"]
BACKUP = BackupState(
    replica="gcs://pinball/db",
    litestream="0.3.13",
    problem=None,
    restarts=0,
    caught_up_at=NOON - 2 * SECOND,
    drill_every=DAY,
    last_drill=DrillState(NOON - DAY, 0.2, NOON - DAY, None),
    last_good_drill_at=NOON - DAY,
    restored_in_seconds=None,
)
SECRET = "AKIA-pinball"


def backed_up(**changes: object) -> HealthReport:
    return replace(WELL, backup=replace(BACKUP, **changes))  # type: ignore[arg-type]  # any field


def test_a_bot_that_works_has_no_faults() -> None:
    assert faults(WELL) == {}


@pytest.mark.parametrize(
    ("part", "report"),
    [
        ("discord", replace(WELL, gateway_connected=False)),
        ("database", replace(WELL, database_revision=None)),
        ("database", replace(WELL, database_revision="6f6f6afb1af3")),
        ("loops", replace(WELL, loops={"feed": "failed 2 times in a row, last with KeyError"})),
        ("pinballmap", replace(WELL, last_good_poll_at=NOON - POLL_OVERDUE - SECOND)),
        ("pinballmap", replace(WELL, last_good_poll_at=NOON + timedelta(days=99))),
        ("pinballmap", replace(WELL, last_good_poll_at=None)),
        ("outbox", replace(WELL, queue=QueueState(due=2, oldest_due_at=NOON - DELIVERY_OVERDUE - SECOND))),
    ],
)
def test_each_fault_is_a_sentence_under_the_name_of_its_part(part: str, report: HealthReport) -> None:
    found = faults(report)
    assert list(found) == [part]
    assert found[part].endswith(".")


def test_a_bot_just_started_has_time_to_make_up_for_its_absence() -> None:
    old = NOON - timedelta(days=3)
    assert (
        faults(replace(WELL, started_at=NOON, last_good_poll_at=old, queue=QueueState(due=9, oldest_due_at=old))) == {}
    )


def test_nothing_is_polled_if_nothing_is_watched() -> None:
    assert faults(replace(WELL, targets=0, last_good_poll_at=None)) == {}


def test_a_first_target_after_a_long_idle_time_is_not_a_fault() -> None:
    idle = replace(WELL, last_good_poll_at=None)
    assert faults(replace(idle, watched_since=NOON - SECOND)) == {}
    assert list(faults(replace(idle, watched_since=NOON - POLL_OVERDUE - SECOND))) == ["pinballmap"]
    assert list(faults(replace(idle, watched_since=NOON + DAY))) == ["pinballmap"]


def test_every_part_always_has_its_sentence() -> None:
    for report in (WELL, backed_up(), backed_up(caught_up_at=None, last_drill=None, last_good_drill_at=None)):
        found = judge(report)
        assert list(found) == PARTS
        assert all(part.reason.endswith(".") for part in found.values())


def test_without_a_backup_nothing_is_asked_of_it() -> None:
    found = judge(WELL)
    assert (found["backup"].ok, found["backup"].reason) == (True, NOT_CONFIGURED)
    assert (found["drill"].ok, found["drill"].reason) == (True, NOT_CONFIGURED)


def test_a_backup_that_keeps_up_is_well() -> None:
    assert faults(backed_up()) == {}
    assert judge(backed_up())["backup"].reason == "Replica last complete: 2 seconds ago."
    assert judge(backed_up())["drill"].reason == "Last good drill: 1 day ago."


@pytest.mark.parametrize(
    ("problem", "behind", "faulty"),
    [
        (None, BACKUP_OVERDUE, False),
        (None, BACKUP_OVERDUE + SECOND, True),
        ("Litestream ended.", BACKUP_GRACE, False),
        ("Litestream ended.", BACKUP_GRACE + SECOND, True),
        ("Litestream ended.", BACKUP_OVERDUE + SECOND, True),
    ],
)
def test_a_backup_is_at_fault_when_it_falls_behind_and_sooner_with_a_known_problem(
    problem: str | None, behind: timedelta, *, faulty: bool
) -> None:
    assert ("backup" in faults(backed_up(problem=problem, caught_up_at=NOON - behind))) is faulty
    just_started = replace(backed_up(problem=problem, caught_up_at=None), started_at=NOON - behind)
    assert ("backup" in faults(just_started)) is faulty


def test_a_failed_drill_is_a_fault_until_one_succeeds() -> None:
    failed = DrillState(NOON, None, None, "It cannot be opened.")
    assert list(faults(backed_up(last_drill=failed, last_good_drill_at=NOON - DAY))) == ["drill"]
    assert faults(backed_up(last_drill=replace(failed, problem=None), last_good_drill_at=NOON)) == {}


@pytest.mark.parametrize(
    ("good", "started", "faulty"),
    [
        (1.5 * DAY, 9 * DAY, False),
        (1.5 * DAY + SECOND, 9 * DAY, True),
        (9 * DAY, DRILL_GRACE, False),
        (9 * DAY, DRILL_GRACE + SECOND, True),
        (None, 1.5 * DAY, False),
        (None, 1.5 * DAY + SECOND, True),
        (-DAY, 1.5 * DAY, False),
        (-DAY, 1.5 * DAY + SECOND, True),
    ],
)
def test_a_drill_is_overdue_when_one_and_a_half_intervals_have_passed(
    good: timedelta | None, started: timedelta, *, faulty: bool
) -> None:
    report = backed_up(last_drill=None, last_good_drill_at=None if good is None else NOON - good)
    assert ("drill" in faults(replace(report, started_at=NOON - started))) is faulty


def test_what_only_the_operator_may_read_is_in_no_reason() -> None:
    failed = DrillState(NOON, None, None, f"{SECRET} was refused.")
    report = backed_up(replica=f"s3://{SECRET}/db", problem=f"{SECRET} ended.", caught_up_at=None, last_drill=failed)
    found = judge(report)
    assert [name for name, part in found.items() if not part.ok] == ["backup", "drill"]
    assert SECRET not in " ".join(part.reason for part in found.values())
    assert all(SECRET in str(found[name]) for name in ("backup", "drill"))


def test_a_report_that_fails_leaves_one_part_that_says_so() -> None:
    assert [(name, part.ok) for name, part in no_report(OSError("disk")).items()] == [("report", False)]


moments = st.none() | st.timedeltas(-3 * DAY, 9 * DAY).map(lambda span: NOON - span)


@given(
    started=st.timedeltas(timedelta(), 9 * DAY),
    polled=moments,
    due=moments,
    caught_up=moments,
    good=moments,
    problem=st.none() | st.just("It ended."),
    later=st.timedeltas(timedelta(), 3 * DAY),
)
def test_faults_are_the_parts_that_are_not_ok_and_do_not_end_by_themselves(
    started: timedelta,
    polled: datetime | None,
    due: datetime | None,
    caught_up: datetime | None,
    good: datetime | None,
    problem: str | None,
    later: timedelta,
) -> None:
    report = replace(
        backed_up(caught_up_at=caught_up, last_good_drill_at=good, last_drill=None, problem=problem),
        started_at=NOON - started,
        last_good_poll_at=polled,
        queue=QueueState(due=1, oldest_due_at=due),
    )
    found = judge(report)
    assert faults(report) == {name: part.reason for name, part in found.items() if not part.ok}
    if all(at is None or at <= NOON for at in (polled, due, caught_up, good)):
        assert faults(report).keys() <= faults(replace(report, now=NOON + later)).keys()


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (-DAY, "a moment"),
        (timedelta(), "a moment"),
        (SECOND, "1 second"),
        (59 * SECOND, "59 seconds"),
        (60 * SECOND, "1 minute"),
        (timedelta(minutes=119), "1 hour"),
        (timedelta(hours=47), "1 day"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_an_age_is_given_in_its_largest_whole_unit(span: timedelta, words: str) -> None:
    assert age(span) == words


def test_one_thing_is_singular() -> None:
    assert [counted(number, "target") for number in (0, 1, 2)] == ["0 targets", "1 target", "2 targets"]


def test_a_gap_that_is_being_read_is_no_fault_and_says_how_far_it_is() -> None:
    gap = CatchUp(NOON - timedelta(days=30), 0.41)
    report = replace(WELL, last_good_poll_at=NOON - timedelta(days=30), catch_up=gap)
    part = judge(report)["pinballmap"]
    assert part.ok
    assert part.reason == (
        "Reading what happened since 30 January 2026, 12:00 UTC: 41% is done. News follows after that."
    )


def test_a_gap_that_cannot_be_read_for_too_long_is_a_fault() -> None:
    gap = CatchUp(NOON - timedelta(days=30), 0.41)
    stuck = replace(WELL, last_good_poll_at=NOON - timedelta(days=30), last_poll_problem="It is down.", catch_up=gap)
    assert judge(stuck)["pinballmap"] == Part(False, "It is down.")
