"""What the bot knows of its own state, for `/monitor_health` and the operator."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

RUNNING = "running"


@dataclass(frozen=True, slots=True)
class QueueState:
    """The outbox in numbers."""

    waiting: int = 0
    """Notifications held for the settle window or until their target is due."""
    due: int = 0
    """Notifications that should be leaving now."""
    oldest_due_at: datetime | None = None
    parked_channels: int = 0
    in_doubt: int = 0
    """Messages whose last attempt has no known outcome."""


@dataclass(frozen=True, slots=True)
class DrillState:
    """How one trial restore of our own backup went. `problem` is None where it stood up to the checks."""

    finished_at: datetime
    restore_seconds: float | None
    heartbeat_at: datetime | None
    """The restored copy's heartbeat: how old the backup was."""
    problem: str | None


@dataclass(frozen=True, slots=True)
class BackupState:
    """What is known of the backup."""

    replica: str
    """Its address, without credentials."""
    litestream: str
    """Litestream's version."""
    problem: str | None
    """Why nothing is replicated right now."""
    restarts: int
    caught_up_at: datetime | None
    """When the replica last held everything."""
    drill_every: timedelta
    last_drill: DrillState | None
    last_good_drill_at: datetime | None
    restored_in_seconds: float | None
    """How long the restore at this start took; None where none was needed."""


@dataclass(frozen=True, slots=True)
class Starting:
    """The bot does not serve yet, and why: it waits for another one to stop, or restores its database."""

    sentence: str


@dataclass(frozen=True, slots=True)
class HealthReport:
    """One look at everything. Times are aware UTC."""

    now: datetime
    started_at: datetime
    gateway_connected: bool
    last_good_poll_at: datetime | None
    last_poll_problem: str | None
    """Set while polls fail; None once one succeeds."""
    newest_submission_at: datetime | None
    queue: QueueState
    requests: Mapping[str, int]
    """Requests to Pinball Map since the start, by outcome."""
    malformed_rows: int
    loops: Mapping[str, str]
    """Loop name to "running" or the sentence of its last failure."""
    errors: int
    """Failures of loops and commands since the start."""
    database_revision: str | None
    backup: BackupState | None
    """None where none is configured."""
    channels: int = 0
    targets: int = 0


class Vitals:
    """What the loops and commands report of themselves while the process lives."""

    def __init__(self, started_at: datetime) -> None:
        self.started_at = started_at
        self.errors = 0
        self.loops: dict[str, str] = {}

    def loop_runs(self, name: str) -> None:
        self.loops[name] = RUNNING

    def loop_failed(self, name: str, sentence: str) -> None:
        self.errors += 1
        self.loops[name] = sentence

    def failed(self, _sentence: str = "") -> None:
        """Something outside the loops went wrong and was logged."""
        self.errors += 1


POLL_OVERDUE = timedelta(minutes=45)
"""Three of the longest intervals between two looks at Pinball Map: past that somebody should know."""

DELIVERY_OVERDUE = timedelta(minutes=30)
"""Far beyond any backlog that leaves at Discord's own speed."""


def faults(report: HealthReport) -> dict[str, str]:
    """What keeps the bot from doing its work: part to sentence, empty when all is well."""
    found: dict[str, str] = {}
    if not report.gateway_connected:
        found["discord"] = "The gateway is not connected."
    if report.database_revision is None:
        found["database"] = "The database has no schema revision."
    for name, state in report.loops.items():
        if state != RUNNING:
            found[name] = f"The {name} loop {state}."
    if report.targets and _overdue(report):
        found["pinballmap"] = report.last_poll_problem or "Pinball Map was not asked for too long."
    if report.queue.oldest_due_at is not None and _older(report, report.queue.oldest_due_at, DELIVERY_OVERDUE):
        found["outbox"] = f"{report.queue.due} notifications are due and do not leave: see the log."
    return found


def _overdue(report: HealthReport) -> bool:
    return _older(report, report.last_good_poll_at, POLL_OVERDUE)


def _older(report: HealthReport, moment: datetime | None, age: timedelta) -> bool:
    """Whether `moment` is further back than `age`; a bot just started has as long to make up for it.

    A moment in the future, from before the clock was put right, tells nothing.
    """
    past = moment if moment is not None and moment <= report.now else report.started_at
    return report.now - max(past, report.started_at) > age
