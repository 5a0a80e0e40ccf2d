"""A health report of a bot that does everything, for the tests of what shows it."""

from dataclasses import replace
from datetime import timedelta

from dispinmap.health import RUNNING, BackupState, DrillState, HealthReport, QueueState
from tests.fakes.values import NOON

SECRET = "s3cr3t"
"""Stands in everything that only the operator may read."""

DRILLED_AT = NOON - timedelta(hours=5)
BACKED_UP = BackupState(
    replica=f"gcs://{SECRET}/db",
    litestream="0.3.13",
    problem=None,
    restarts=1,
    caught_up_at=NOON - timedelta(seconds=2),
    drill_every=timedelta(days=1),
    last_drill=DrillState(DRILLED_AT, 0.24, DRILLED_AT, None),
    last_good_drill_at=DRILLED_AT,
    restored_in_seconds=0.7,
)
WELL = HealthReport(
    now=NOON,
    started_at=NOON - timedelta(days=9),
    gateway_connected=True,
    last_good_poll_at=NOON - timedelta(minutes=4),
    last_poll_problem=None,
    newest_submission_at=NOON - timedelta(minutes=11),
    queue=QueueState(waiting=12, due=2, oldest_due_at=NOON - timedelta(seconds=30), parked_channels=1),
    requests={"ok": 8120, "not_modified": 4610, "unavailable": 3},
    malformed_rows=2,
    loops={"feed": RUNNING, "delivery": RUNNING, "housekeeping": RUNNING, "heartbeat": RUNNING, "drill": RUNNING},
    errors=1,
    database_revision="43d138bd38f5",
    head_revision="43d138bd38f5",
    backup=BACKED_UP,
    channels=31,
    targets=118,
    polls={"ok": 12727, "failed": 3},
    deliveries={"sent": 2011, "found": 1, "not_delivered": 4, "unknown": 1, "channel_closed": 2, "rejected": 0},
    submissions=48211,
    notifications={"pending": 14, "sent": 3907, "cancelled": 55, "rejected": 0},
)
UNWELL = replace(
    WELL,
    gateway_connected=False,
    loops={**WELL.loops, "feed": "failed 3 times in a row, last with KeyError"},
    backup=replace(
        BACKED_UP,
        problem=f"Litestream cannot write to {SECRET}.",
        caught_up_at=NOON - timedelta(minutes=7),
        last_drill=DrillState(DRILLED_AT, None, None, f"{SECRET} cannot be read."),
    ),
)
