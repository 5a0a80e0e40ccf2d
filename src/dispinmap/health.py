"""The bot's own state, for `/monitor_health`, the web pages and the operator (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

RUNNING = "running"
NOT_CONFIGURED = "Not configured."
REPORT = "report"
"""The only part that is shown if the report fails."""
REPORT_SECONDS = 10.0
"""How long a report may take. If the disk hangs, the web pages and alerts must say so instead of hanging too."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """How many notifications wait or are due, and how many channels and messages have trouble."""

    waiting: int = 0
    """Notifications held for the settle window or until their target is due."""
    due: int = 0
    """Notifications that should be leaving now."""
    oldest_due_at: datetime | None = None
    parked_channels: int = 0
    in_doubt: int = 0
    """Messages whose last attempt has no known outcome."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """The progress of reading what happened while the bot was away."""

    since: datetime
    """When the gap began."""
    progress: float
    """How much of it is read, from 0 to 1."""

    def __str__(self) -> str:
        done = f"{self.progress:.0%} is done"
        return f"Reading what happened since {self.since:%d %B %Y, %H:%M} UTC: {done}. News follows after that."


@dataclass(frozen=True, slots=True)
class DrillState:
    """How one test restore of our backup went. `problem` is None if the restored copy passed all checks."""

    finished_at: datetime
    restore_seconds: float | None
    heartbeat_at: datetime | None
    """The restored copy's heartbeat: how old the backup was."""
    problem: str | None


@dataclass(frozen=True, slots=True)
class BackupState:
    """The state of the backup."""

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
    """How long the restore at this start took; None if none was needed."""


@dataclass(frozen=True, slots=True)
class Part:
    """Whether one part of the bot works."""

    ok: bool
    reason: str
    """A sentence that anyone may read."""
    detail: str | None = None
    """More details, for the operator only, because they can name addresses."""

    def __str__(self) -> str:
        """Everything, for the operator."""
        return self.reason if self.detail is None else f"{self.reason} {self.detail}"


@dataclass(frozen=True, slots=True)
class Starting:
    """The bot is not ready yet: `sentence` says why, such as that it waits for another bot or restores its database."""

    sentence: str


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The state of everything at `now`. Times are aware UTC."""

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
    head_revision: str
    """The revision this code needs."""
    backup: BackupState | None
    """None if none is configured."""
    channels: int = 0
    targets: int = 0
    watched_since: datetime | None = None
    """When the oldest of the targets was added. Before that, the bot had no reason to poll."""
    polls: Mapping[str, int] = field(default_factory=dict)
    """Looks at the feed since the start, by outcome: "ok" or "failed"."""
    deliveries: Mapping[str, int] = field(default_factory=dict)
    """Attempts to post since the start, by outcome."""
    submissions: int = 0
    """Submissions in our copy."""
    notifications: Mapping[str, int] = field(default_factory=dict)
    """Notifications in the database, by state."""
    catch_up: CatchUp | None = None
    """Set while a gap in Pinball Map's feed is being read."""


class Vitals:
    """What the loops and commands report about themselves while the process lives."""

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
        """Count a failure outside the loops, which the caller has logged."""
        self.errors += 1


def age(span: timedelta) -> str:
    """Such as "5 minutes", in the largest whole unit; "a moment" if it is less than a second."""
    seconds = int(span.total_seconds())
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            return counted(seconds // size, unit)
    return "a moment"


def counted(number: int, noun: str) -> str:
    """Such as "1 target" or "2 targets"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


POLL_OVERDUE = timedelta(minutes=45)
"""Three times the longest interval between two polls. After that, something is wrong."""

DELIVERY_OVERDUE = timedelta(minutes=30)
"""Much longer than it takes to send any backlog as fast as Discord allows."""

BACKUP_GRACE = timedelta(minutes=1)
"""How long Litestream may have a problem before it counts: restarting Litestream takes seconds."""

BACKUP_OVERDUE = timedelta(minutes=5)
"""Ten heartbeats that never reached the replica."""

DRILLS_OVERDUE = 1.5
"""In intervals between drills: one drill was missed, and half of the next interval has passed too."""

DRILL_GRACE = timedelta(minutes=30)
"""How long a bot may take after its start for a drill that came due while it was away."""


def judge(report: HealthReport) -> dict[str, Part]:
    """Every part of the bot, and whether it works."""
    return {
        "discord": _discord(report),
        "database": _database(report),
        "pinballmap": _pinballmap(report),
        "outbox": _outbox(report),
        "loops": _loops(report),
        "backup": _backup(report),
        "drill": _drill(report),
    }


def faults(report: HealthReport) -> dict[str, str]:
    """What keeps the bot from working: part to sentence, empty if all is well."""
    return {name: part.reason for name, part in judge(report).items() if not part.ok}


def no_report(error: Exception) -> dict[str, Part]:
    """The only part to show if the report failed with `error`, which the caller has logged."""
    return {REPORT: Part(False, f"The bot cannot tell its state ({type(error).__name__}): see the log.")}


def _discord(report: HealthReport) -> Part:
    connected = report.gateway_connected
    return Part(connected, "Discord's gateway is connected." if connected else "Discord's gateway is not connected.")


def _database(report: HealthReport) -> Part:
    if report.database_revision is None:
        return Part(False, "The database has no schema revision: run dispinmap db upgrade.")
    if report.database_revision != report.head_revision:
        return Part(
            False,
            f"The database is at revision {report.database_revision}, and this version needs {report.head_revision}: "
            "run dispinmap db upgrade.",
        )
    return Part(True, f"At revision {report.database_revision}, which this version needs.")


def _pinballmap(report: HealthReport) -> Part:
    if not report.targets:
        return Part(True, "Nothing is watched, so there is nothing to poll.")
    if report.catch_up is not None and report.last_poll_problem is None:
        return Part(True, str(report.catch_up))
    since = max(
        filter(None, (_past(report, report.last_good_poll_at), _past(report, report.watched_since))), default=None
    )
    if _older(report, since, POLL_OVERDUE):
        return Part(False, report.last_poll_problem or "The last good poll was too long ago.")
    return Part(True, f"Last good poll: {_ago(report, report.last_good_poll_at)}.")


def _outbox(report: HealthReport) -> Part:
    queue = report.queue
    if queue.oldest_due_at is not None and _older(report, queue.oldest_due_at, DELIVERY_OVERDUE):
        return Part(False, f"{queue.due} notifications are due but not being sent: see the log.")
    return Part(True, f"{queue.due} due, {queue.waiting} waiting, {queue.in_doubt} in doubt.")


def _loops(report: HealthReport) -> Part:
    failed = [f"The {name} loop {state}." for name, state in report.loops.items() if state != RUNNING]
    if failed:
        return Part(False, " ".join(failed))
    return Part(True, f"{counted(len(report.loops), 'loop')} running.")


def _backup(report: HealthReport) -> Part:
    backup = report.backup
    if backup is None:
        return Part(True, NOT_CONFIGURED)
    complete = f"Replica last complete: {_ago(report, backup.caught_up_at)}."
    if backup.problem is not None and _older(report, backup.caught_up_at, BACKUP_GRACE):
        return Part(False, f"{complete} Nothing is replicated right now: see the log.", backup.problem)
    if _older(report, backup.caught_up_at, BACKUP_OVERDUE):
        return Part(False, f"{complete} It is falling behind: check that the storage can be reached.", backup.problem)
    return Part(True, complete)


def _drill(report: HealthReport) -> Part:
    backup = report.backup
    if backup is None:
        return Part(True, NOT_CONFIGURED)
    good = f"Last good drill: {_ago(report, backup.last_good_drill_at)}."
    if backup.last_drill is not None and backup.last_drill.problem is not None:
        reason = f"{good} The last one failed: run dispinmap backup validate."
        return Part(False, reason, backup.last_drill.problem)
    if report.now > _drill_due(report, backup):
        return Part(False, f"{good} The next one is overdue: see the log.")
    return Part(True, good)


def _drill_due(report: HealthReport, backup: BackupState) -> datetime:
    """When the next good drill becomes overdue."""
    good = backup.last_good_drill_at
    if good is None or good > report.now:
        return report.started_at + DRILLS_OVERDUE * backup.drill_every
    return max(good + DRILLS_OVERDUE * backup.drill_every, report.started_at + DRILL_GRACE)


def _ago(report: HealthReport, moment: datetime | None) -> str:
    return "none yet" if moment is None else f"{age(report.now - moment)} ago"


def _past(report: HealthReport, moment: datetime | None) -> datetime | None:
    return moment if moment is not None and moment <= report.now else None


def _older(report: HealthReport, moment: datetime | None, span: timedelta) -> bool:
    """Whether both `moment` and the bot's start are longer ago than `span`, so that a new bot has time to catch up.

    A moment in the future is ignored: the clock was corrected since.
    """
    past = moment if moment is not None and moment <= report.now else report.started_at
    return report.now - max(past, report.started_at) > span
