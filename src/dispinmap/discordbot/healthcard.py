"""The health report as Discord's embed JSON (pure)."""

from typing import TypedDict

from dispinmap.discordbot.lines import moment
from dispinmap.discordbot.markdown import cut, escape
from dispinmap.health import BackupState, HealthReport, counted, judge

FIELD_LIMIT = 560
"""Nine fields of this length and the description stay within a message's 6,000 characters."""
_WELL, _UNWELL = 0x2E9E5B, 0xD1453B


class Field(TypedDict):
    name: str
    value: str
    inline: bool


class HealthEmbed(TypedDict):
    title: str
    description: str
    color: int
    fields: list[Field]


def health_embed(report: HealthReport) -> HealthEmbed:
    """The whole state of the bot, problems first."""
    troubles = _troubles(report)
    return {
        "title": "Something needs attention" if troubles else "All is well",
        "description": cut("\n".join(f"⚠ {escape(one)}" for one in troubles), FIELD_LIMIT)
        or f"Started {moment(report.started_at)}.",
        "color": _UNWELL if troubles else _WELL,
        "fields": [_field(name, value) for name, value in _parts(report)],
    }


def _field(name: str, value: str) -> Field:
    return {"name": name, "value": cut(value, FIELD_LIMIT), "inline": True}


def _troubles(report: HealthReport) -> list[str]:
    """What is wrong, and what may become wrong: a failed poll, or channels that cannot be posted to."""
    found = {name: "" if part.ok else part.reason for name, part in judge(report).items()}
    if report.last_poll_problem:
        found["pinballmap"] = report.last_poll_problem
    if report.queue.parked_channels:
        found["parked"] = f"I can’t post to {counted(report.queue.parked_channels, 'channel')}."
    return [sentence for sentence in found.values() if sentence]


def _parts(report: HealthReport) -> list[tuple[str, str]]:
    return [
        ("Last good poll", _poll(report)),
        ("Newest submission", moment(report.newest_submission_at) if report.newest_submission_at else "none yet"),
        ("Queue", _queue(report)),
        ("Watched", f"{counted(report.targets, 'target')} in {counted(report.channels, 'channel')}"),
        ("Pinball Map", _requests(report)),
        ("Errors", f"{report.errors} since the start, {counted(report.malformed_rows, 'malformed row')}"),
        ("Database", f"revision {escape(report.database_revision or 'unknown')}"),
        ("Backup", _backup(report.backup) if report.backup else "not configured"),
        ("Restore drill", _drill(report.backup) if report.backup else "not configured"),
    ]


def _poll(report: HealthReport) -> str:
    last = moment(report.last_good_poll_at) if report.last_good_poll_at else "none yet"
    return f"{last}. {report.catch_up}" if report.catch_up else last


def _backup(backup: BackupState) -> str:
    # Every member can see this, so leave out the backup's address and its storage's errors.
    caught_up = f"complete {moment(backup.caught_up_at)}" if backup.caught_up_at else "not complete yet"
    problem = ". Nothing is replicated right now: see the log" if backup.problem else ""
    return f"Litestream {escape(backup.litestream)}, {caught_up}{problem}"


def _drill(backup: BackupState) -> str:
    last = backup.last_drill
    if last is None:
        return "none yet"
    took = f" in {last.restore_seconds:.1f} seconds" if last.restore_seconds is not None else ""
    if last.problem is None:
        return f"good {moment(last.finished_at)}, restored{took}"
    good = moment(backup.last_good_drill_at) if backup.last_good_drill_at else "never"
    return f"failed {moment(last.finished_at)}, last good {good}: see the log"


def _queue(report: HealthReport) -> str:
    queue = report.queue
    oldest = f", the oldest {moment(queue.oldest_due_at)}" if queue.oldest_due_at else ""
    return f"{queue.due} due{oldest}, {queue.waiting} waiting, {queue.in_doubt} in doubt"


def _requests(report: HealthReport) -> str:
    counts = ", ".join(
        f"{count} {escape(outcome.replace('_', ' '))}" for outcome, count in sorted(report.requests.items())
    )
    return counts or "no requests yet"
