"""docs/backup.md says what the code does: its figures, names and sentences."""

import ast
import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from dispinmap import start
from dispinmap.alerts import watch
from dispinmap.backup import drill, heartbeat
from dispinmap.backup.configuration import effective
from dispinmap.backup.lease import rules
from dispinmap.backup.lease.record import decode
from dispinmap.backup.litestream import binary
from dispinmap.backup.models import Format, Replica, StorageKind
from dispinmap.health import BACKUP_OVERDUE, DELIVERY_OVERDUE, DRILLS_OVERDUE, POLL_OVERDUE, REPORT, parts
from dispinmap.settings import Settings
from dispinmap.web.look import START, Look
from dispinmap.web.metrics import exposition
from tests.docs.pages import ROOT, blocks, read, rows, sections
from tests.fakes.reports import WELL

PAGE = read("docs/backup.md")
TOPICS = sections(PAGE, 2)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WORDS = {1 / 3: "a third", 3 / 4: "three quarters", 3: "three", 5: "five"}
LEASE_SECONDS = Settings.lease_seconds
DRILL_HOURS = Settings.backup_drill_hours
MONTH_SECONDS = 30 * 86400


@pytest.mark.parametrize(
    "sentence",
    [
        f"the bot writes every {heartbeat.EVERY.seconds} seconds",
        f"`drill_passed`, after {WORDS[drill.FIRST_AFTER // MINUTE]} minutes,",
        f"renews it every {rules.renewal_interval(LEASE_SECONDS):g} seconds ({WORDS[rules.renewal_interval(1)]} of",
        f"stops trusting it after {rules.trusted_for(LEASE_SECONDS):g} ({WORDS[rules.trusted_for(1)]})",
        f"takes it after {LEASE_SECONDS:g} seconds without a change",
        f"`LEASE_SECONDS` ({LEASE_SECONDS:g} s) and a second in a bucket",
        f"holds the lease after a clean stop | {rules.watch_interval(LEASE_SECONDS):g} s |",
        f"`BACKUP_DRILL_HOURS` ({DRILL_HOURS:g} h)",
        f"one and a half intervals ({DRILLS_OVERDUE * DRILL_HOURS:g} hours)",
        f"dispinmap_last_good_drill_timestamp_seconds > {DRILLS_OVERDUE * DRILL_HOURS * 3600:g}",
        f"no poll worked for {POLL_OVERDUE // MINUTE} minutes",
        f"has been due for {DELIVERY_OVERDUE // MINUTE} minutes",
        f"not been complete for {BACKUP_OVERDUE // MINUTE} minutes, or for one while",
        f"dispinmap_replication_lag_seconds > {BACKUP_OVERDUE.total_seconds():g}",
        f"at fault for {WORDS[watch.PATIENCE // MINUTE]} minutes, a drill that fails at once",
        f"`RESTORE_TIMEOUT_SECONDS` ({Settings.restore_timeout_seconds:g})",
        f"has a snapshot made every {effective.SNAPSHOT_INTERVAL[Format.V0_3].removesuffix('h')} hours",
        "up to {} hours with Litestream 0.3, {} with 0.5".format(
            *(effective.SNAPSHOT_INTERVAL[version].removesuffix("h") for version in (Format.V0_3, Format.V0_5))
        ),
        f"every upload of the last {effective.RETENTION.removesuffix('h')} hours",
        f"0.3.{binary.OLDEST_0_3}, or 0.5.{binary.OLDEST_0_5} or a later 0.5",
        f"{MONTH_SECONDS / rules.renewal_interval(LEASE_SECONDS):,.0f} renewals of the lease",
        f"{timedelta(seconds=MONTH_SECONDS) // heartbeat.EVERY:,} uploads of the heartbeat",
    ],
)
def test_the_figures_are_those_of_the_code(sentence: str) -> None:
    assert sentence in " ".join(PAGE.split())


def test_half_a_window_and_more_is_left_to_go_back_in_time_with_0_5() -> None:
    settings = effective.RETENTION, effective.SNAPSHOT_INTERVAL[Format.V0_5]
    retention, interval = (int(each.removesuffix("h")) for each in settings)
    assert f"| {retention - interval} hours or more:" in PAGE


def test_a_stop_takes_what_a_platform_grants() -> None:
    assert start.STOP_SECONDS + start.RELEASE_SECONDS < 10
    assert "takes less than 10 seconds" in PAGE


def test_every_part_of_the_bot_has_a_row() -> None:
    listed = [cells[0].strip("`") for cells in rows(sections(PAGE, 3)["The pages"])][1:]
    assert listed == list(parts(WELL))
    assert f"one part, `{START}`" in PAGE
    assert f"one part `{REPORT}`" in PAGE


def test_every_metric_is_listed_with_its_own_words() -> None:
    text = exposition(Look(WELL, parts(WELL)), "")[0].decode()
    shown = next(block for block in blocks(PAGE) if "dispinmap_ready" in block).splitlines()
    assert [line.split(maxsplit=1) for line in shown] == [
        [name + _label(name, text), words]
        for name, words in re.findall(r"^# HELP (dispinmap_\w+) (.+)$", text, re.MULTILINE)
    ]


def _label(name: str, text: str) -> str:
    """The label whose values make several of it."""
    labels = re.search(rf"^{name}\{{(\w+)=[^,}}]*\}}", text, re.MULTILINE)
    return f"{{{labels[1]}}}" if labels else ""


def test_the_lease_shown_is_one() -> None:
    (shown,) = blocks(PAGE, "json")
    record = decode(shown.encode(), "the page's lease")
    assert (record.holder, record.released, record.seconds) == (record.writer, False, LEASE_SECONDS)
    assert json.loads(shown)["nonce"]
    both = {Replica(StorageKind.GCS, path, "b").lease_path for path in ("db", "db-v5")}
    assert both == {"db.lease"}


def test_what_the_bot_says_is_in_the_code() -> None:
    starts = [cells[3] for cells in rows(TOPICS["What a start does"])]
    troubles = [cells[0] for cells in rows(TOPICS["Troubleshooting"])]
    quoted = [text for cell in (*starts, *troubles) for text in re.findall(r"`([^`]+)`", cell)]
    assert len(quoted) > 25
    for text in (*quoted, "is not a lease as this version writes them", "drill_passed", "final_sync_done"):
        assert f"`{text}" in PAGE
        assert any(text in said for said in _TEXTS), text


def _texts() -> Iterator[str]:
    """Every text in the source; what is filled in while the bot runs is left out."""
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "\0".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


_TEXTS = list(_texts())
