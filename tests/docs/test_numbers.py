"""The figures on the pages are those in the code, each in the section that explains it."""

import re
from datetime import timedelta

import pytest

from dispinmap import start, supervision
from dispinmap.alerts import alarm
from dispinmap.backup import drill, heartbeat
from dispinmap.backup.configuration import effective
from dispinmap.backup.lease import rules
from dispinmap.backup.litestream03 import configuration as litestream03
from dispinmap.backup.litestream05 import configuration as litestream05
from dispinmap.backup.models import Format
from dispinmap.backup.versions import DIALECTS
from dispinmap.discordbot import target_table
from dispinmap.discordbot.commands import check, transfer
from dispinmap.feed import cursor, poller, reading, schedule
from dispinmap.health import BACKUP_OVERDUE, DELIVERY_OVERDUE, DRILLS_OVERDUE, POLL_OVERDUE
from dispinmap.outbox import batches, retry
from dispinmap.settings import Settings
from dispinmap.targets import kinds, latest, models, planning, suggestions
from tests.docs.pages import read, sections

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MONTH = 30 * DAY
WORDS = {1 / 3: "a third", 3 / 4: "three quarters", 3: "three", 5: "five", 10: "ten"}

LEASE = Settings.lease_seconds
DRILL_HOURS = Settings.backup_drill_hours
RETENTION = int(effective.RETENTION.removesuffix("h"))
SNAPSHOT_0_3, SNAPSHOT_0_5 = (
    int(version.SNAPSHOT_INTERVAL.removesuffix("h")) for version in (litestream03, litestream05)
)
RENEWALS = round(MONTH.total_seconds() / rules.renewal_interval(LEASE))
RARE_RENEWALS = round(MONTH.total_seconds() / rules.renewal_interval(300))
BEATS = MONTH // heartbeat.EVERY
POLLS = MONTH // timedelta(seconds=Settings.feed_min_interval_seconds)
LISTS = MONTH // timedelta(seconds=120) * 22

FIGURES = {
    ("commands", "Watching"): (f"{latest.LATEST_COUNT} latest",),
    ("commands", "/add location"): (f"{WORDS[suggestions.MIN_LETTERS]} letters",),
    ("commands", "/add city"): (
        f"{models.MIN_RADIUS_MILES:g} to {models.MAX_RADIUS_MILES:g} miles",
        f"{models.DEFAULT_RADIUS_MILES:g} miles",
    ),
    ("commands", "/list"): (WORDS[target_table.ROWS_PER_PAGE],),
    ("commands", "/check"): (f"{check.COOLDOWN_SECONDS:g} seconds",),
    ("commands", "/poll_rate"): (
        f"{models.MIN_POLL_RATE_MINUTES} to {models.MAX_POLL_RATE_MINUTES}",
        f"`default`: {models.DEFAULT_POLL_RATE_MINUTES}",
    ),
    ("commands", "/notifications"): (f"`default`: `{kinds.DEFAULT_KINDS}`",),
    ("commands", "/import"): (f"{transfer.FILE_LIMIT // 1024} KiB", f"first {planning.MAX_LOOKUPS}"),
    ("architecture", "From a change to a card"): (
        f"{schedule.LONGEST_INTERVAL // MINUTE} minutes",
        f"{cursor.OVERLAP // MINUTE} minutes",
        f"{reading.LOOKED_UP_PLACES} places",
        f"{poller.BATCH} rows",
    ),
    ("architecture", "Exactly once"): (
        f"{batches.MAX_CARDS} cards",
        f"{retry.NONCE_LIFETIME.seconds} seconds",
        f"{WORDS[retry.FIRST_PARKING // MINUTE]} minutes",
        f"{retry.FIRST_RETRY.seconds} seconds",
        f"{retry.LONGEST_RETRY // MINUTE} minutes",
        f"{supervision.MAX_FAILURES} failures",
    ),
    ("backup", "In a minute"): (f"{WORDS[drill.FIRST_AFTER // MINUTE]} minutes",),
    ("backup", "Which Litestream"): (
        f"0.3.{DIALECTS[Format.V0_3].oldest_patch}",
        f"0.5.{DIALECTS[Format.V0_5].oldest_patch}",
        f"{RETENTION} hours",
        f"{RETENTION - SNAPSHOT_0_5} hours",
    ),
    ("backup", "What it costs"): (
        f"{rules.renewal_interval(LEASE):g} seconds",
        f"{heartbeat.EVERY.seconds} seconds",
        *(f"{figure:,}" for figure in (RENEWALS, BEATS, POLLS, LISTS)),
        f"{RENEWALS + BEATS + POLLS:,} requests",
        f"{RENEWALS + BEATS + POLLS + LISTS:,}",
        f"{RENEWALS - RARE_RENEWALS:,}",
        f"{RENEWALS * DAY // MONTH:,} a day",
    ),
    ("backup-theory", "How it works"): (f"{heartbeat.EVERY.seconds} seconds", "10 seconds"),
    ("backup-theory", "The promise in numbers"): (
        f"{SNAPSHOT_0_3} hours",
        f"{rules.retry_interval(LEASE):g} s",
        f"`LEASE_SECONDS` ({LEASE:g} s)",
        f"`BACKUP_DRILL_HOURS` ({DRILL_HOURS:g} h)",
    ),
    ("backup-theory", "The lease"): (
        f"{rules.renewal_interval(LEASE):g} seconds ({WORDS[rules.renewal_interval(1)]}",
        f"{rules.trusted_for(LEASE):g} ({WORDS[rules.trusted_for(1)]}",
        f"{LEASE:g} seconds",
    ),
    ("backup-runbooks", "A failed drill"): (f"{SNAPSHOT_0_3} hours", f"{SNAPSHOT_0_5} with 0.5"),
    ("backup-runbooks", "What a start does"): (f"`RESTORE_TIMEOUT_SECONDS` ({Settings.restore_timeout_seconds:g})",),
    ("backup-runbooks", "Troubleshooting"): (f"{rules.trusted_for(LEASE):g} seconds",),
    ("monitoring", "The pages"): (
        f"{POLL_OVERDUE // MINUTE} minutes",
        f"{DELIVERY_OVERDUE // MINUTE} minutes",
        f"{BACKUP_OVERDUE // MINUTE} minutes",
        f"{DRILLS_OVERDUE * DRILL_HOURS:g} hours",
        f"dispinmap_replication_lag_seconds > {BACKUP_OVERDUE.total_seconds():g}",
        f"dispinmap_last_good_drill_timestamp_seconds > {DRILLS_OVERDUE * DRILL_HOURS * 3600:g}",
    ),
    ("monitoring", "Messages to the operator"): (f"{WORDS[alarm.PATIENCE // MINUTE]} minutes",),
}


@pytest.mark.parametrize(
    ("page", "heading", "figure"),
    [(page, heading, figure) for (page, heading), figures in FIGURES.items() for figure in figures],
)
def test_the_section_gives_the_figure(page: str, heading: str, figure: str) -> None:
    text = read(f"docs/{page}.md")
    section = " ".join((sections(text, 2) | sections(text, 3))[heading].split())
    assert re.search(rf"(?<![\w.,]){re.escape(figure)}(?!\w)", section, re.IGNORECASE), section


def test_a_stop_takes_less_than_10_seconds() -> None:
    assert start.STOP_SECONDS + start.RELEASE_SECONDS < 10
