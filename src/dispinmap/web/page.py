"""The status page, which anyone may read (pure)."""

from collections.abc import Iterator, Mapping
from html import escape
from importlib.metadata import version

from dispinmap.health import NOT_CONFIGURED, REPORT, BackupState, HealthReport, Part, age, counted
from dispinmap.web.look import START, Look

REFRESH_SECONDS = 30

_NAMES = {
    "discord": "Discord",
    "database": "Database",
    "pinballmap": "Pinball Map",
    "outbox": "Outbox",
    "loops": "Loops",
    "backup": "Backup",
    "drill": "Restore drill",
    START: "Start",
    REPORT: "Report",
}
_STORAGE = {"gcs": "Google Cloud Storage", "s3": "S3 storage", "file": "A folder of this machine"}
"""By the scheme of the replica's address. The page does not show the address itself, because anyone may read it."""


def status_page(look: Look) -> str:
    """The whole page as HTML. It needs no script, and reloads itself."""
    verdict = _verdict(look)
    kind = "well" if look.ready else "starting" if look.starting else "unwell"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="{REFRESH_SECONDS}">
<title>{verdict} · DisPinMap</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="status.css">
</head>
<body>
<header class="{kind}"><p>DisPinMap</p><h1>{verdict}</h1>{_as_of(look.report)}</header>
<main>
<section aria-labelledby="parts"><h2 id="parts">Parts</h2>{_parts(look.parts)}</section>
{_numbers(look.report)}
</main>
<footer><p>Version {escape(version("dispinmap"))}. This page reloads every {REFRESH_SECONDS} seconds.</p></footer>
</body>
</html>
"""


def _verdict(look: Look) -> str:
    if look.starting:
        return "Starting"
    return "All is well" if look.ready else "Something needs attention"


def _as_of(report: HealthReport | None) -> str:
    if report is None:
        return ""
    now = f'<time datetime="{report.now.isoformat()}">{report.now:%H:%M:%S} UTC</time>'
    return f"<p>As of {now}, {age(report.now - report.started_at)} after the start.</p>"


def _parts(parts: Mapping[str, Part]) -> str:
    return f'<ul class="parts">{"".join(_part(name, part) for name, part in parts.items())}</ul>'


def _part(name: str, part: Part) -> str:
    kind, state = _state(name, part)
    return f'<li class="{kind}"><h3>{_NAMES[name]}</h3><p class="state">{state}</p><p>{escape(part.reason)}</p></li>'


def _state(name: str, part: Part) -> tuple[str, str]:
    """The style of a part, and its state in words, because not everyone can tell the colours apart."""
    if name == START:
        return "starting", "Under way"
    if part.reason == NOT_CONFIGURED:
        return "off", "Off"
    return ("well", "Working") if part.ok else ("unwell", "Needs attention")


def _numbers(report: HealthReport | None) -> str:
    if report is None:
        return ""
    items = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in _rows(report))
    return f'<section aria-labelledby="numbers"><h2 id="numbers">Numbers</h2><dl>{items}</dl></section>'


def _rows(report: HealthReport) -> Iterator[tuple[str, str]]:
    newest = report.newest_submission_at
    yield "Watched", f"{counted(report.targets, 'target')} in {counted(report.channels, 'channel')}"
    yield "Submissions known", f"{report.submissions:,}"
    yield "Newest submission", f"{age(report.now - newest)} ago" if newest else "none yet"
    yield "Notifications", _counts(report.notifications)
    yield "Channels that refuse posts", f"{report.queue.parked_channels:,}"
    yield "Polls since the start", _counts(report.polls)
    yield "Requests to Pinball Map", _counts(report.requests)
    yield "Attempts to post", _counts(report.deliveries)
    yield "Errors since the start", f"{report.errors:,}"
    if report.backup is not None:
        yield from _backup_rows(report.backup)


def _backup_rows(backup: BackupState) -> Iterator[tuple[str, str]]:
    yield "Backup kept in", _STORAGE.get(backup.replica.partition("://")[0], "Other storage")
    yield "Litestream", f"{backup.litestream}, {counted(backup.restarts, 'restart')}"
    if backup.last_drill is not None and backup.last_drill.restore_seconds is not None:
        yield "Last drill's restore", f"{backup.last_drill.restore_seconds:.1f} seconds"
    if backup.restored_in_seconds is not None:
        yield "Restore at this start", f"{backup.restored_in_seconds:.1f} seconds"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count) or "none"
