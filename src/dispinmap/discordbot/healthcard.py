"""The health report as Discord's embed JSON (pure)."""

from typing import TypedDict

from dispinmap.discordbot.lines import moment
from dispinmap.discordbot.markdown import cut, escape
from dispinmap.health import RUNNING, HealthReport

FIELD_LIMIT = 700
"""Eight such fields stay within the 6,000 characters of a message; Discord allows 1,024 in each."""
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
    """One look at everything, the trouble first."""
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
    troubles = [] if report.gateway_connected else ["Discord’s gateway is not connected."]
    if report.last_poll_problem:
        troubles.append(report.last_poll_problem)
    troubles += [f"{name}: {state}" for name, state in report.loops.items() if state != RUNNING]
    if report.queue.parked_channels:
        troubles.append(f"{_count(report.queue.parked_channels, 'channel')} cannot be posted to.")
    return troubles


def _parts(report: HealthReport) -> list[tuple[str, str]]:
    return [
        ("Last good poll", moment(report.last_good_poll_at) if report.last_good_poll_at else "none yet"),
        ("Newest submission", moment(report.newest_submission_at) if report.newest_submission_at else "none yet"),
        ("Queue", _queue(report)),
        ("Watched", f"{_count(report.targets, 'target')} in {_count(report.channels, 'channel')}"),
        ("Pinball Map", _requests(report)),
        ("Errors", f"{report.errors} since the start, {_count(report.malformed_rows, 'malformed row')}"),
        ("Database", f"revision {escape(report.database_revision or 'unknown')}"),
        ("Backup", escape(report.backup.replica) if report.backup else "not configured"),
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _queue(report: HealthReport) -> str:
    queue = report.queue
    oldest = f", the oldest {moment(queue.oldest_due_at)}" if queue.oldest_due_at else ""
    return f"{queue.due} due{oldest}, {queue.waiting} waiting, {queue.in_doubt} in doubt"


def _requests(report: HealthReport) -> str:
    counts = ", ".join(
        f"{count} {escape(outcome.replace('_', ' '))}" for outcome, count in sorted(report.requests.items())
    )
    return counts or "no requests yet"
