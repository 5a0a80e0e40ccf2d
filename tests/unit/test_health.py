"""What keeps the bot from its work is said, and nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dispinmap.health import DELIVERY_OVERDUE, POLL_OVERDUE, RUNNING, HealthReport, QueueState, faults
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


def test_a_bot_that_works_has_no_faults() -> None:
    assert faults(WELL) == {}


@pytest.mark.parametrize(
    ("part", "report"),
    [
        ("discord", replace(WELL, gateway_connected=False)),
        ("database", replace(WELL, database_revision=None)),
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


def test_nobody_is_asked_where_nothing_is_watched() -> None:
    assert faults(replace(WELL, targets=0, last_good_poll_at=None)) == {}
