"""Configurations that Litestream would silently accept, or crash on, and our findings."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.backup.configuration.checking import check
from dispinmap.backup.configuration.findings import Finding, Severity
from dispinmap.backup.configuration.schema import masked
from dispinmap.backup.models import Format

V3, V5 = Format.V0_3, Format.V0_5
DATABASE = Path("/data/bot.db")
D, R3, R5 = "dbs[0].", "dbs[0].replicas[0].", "dbs[0].replica."
GCS = "{type: gcs, bucket: b-1, path: db}"
GS = "{type: gs, bucket: b-1, path: db-v5}"


def one(version: Format, replica: str, more: str = "", top: str = "") -> str:
    """A document with this replica; `more` stands in the database, `top` at the top."""
    place = f"replicas: [{replica}]" if version is V3 else f"replica: {replica}"
    return f"{top}\ndbs:\n  - path: /data/bot.db\n    {place}\n    {more}\n"


def listed(*replicas: str) -> str:
    """A document with these replicas in a list."""
    return f"dbs:\n  - {{path: /data/bot.db, replicas: [{', '.join(replicas)}]}}\n"


def with_keys(version: Format, keys: str) -> str:
    """A document whose replica has these keys too."""
    return one(version, f"{(GCS if version is V3 else GS).removesuffix('}')}, {keys}}}")


def at(findings: list[Finding], where: str) -> Finding:
    (found,) = [each for each in findings if each.where == where]
    return found


BROKEN: list[tuple[str, Format, str, str, str, str]] = [
    # what, version, document, where, words of the sentence, words of the cure
    ("not YAML", V3, "dbs: [", "line 1", "not YAML", "Correct"),
    ("control characters", V3, "dbs: \x00", "", "not YAML", "Correct"),
    ("a date of no calendar", V3, "a: 2026-13-01", "", "not YAML", "Correct"),
    ("two documents", V3, "a: 1\n---\nb: 2\n", "line 2", "single document", "Correct"),
    ("not a mapping", V3, "[1]", "", "not a mapping", "litestream.yml"),
    ("an empty file", V5, "", "", "not a mapping", "litestream-0.5.yml"),
    ("no databases", V3, "dbs: []", "dbs", "No database", "litestream.yml"),
    ("an empty entry", V3, "dbs: [null]", "dbs[0]", "crash", "remove"),
    ("no list of databases", V3, "dbs: {}", "dbs", "list", "litestream.yml"),
    ("a misspelt key", V3, with_keys(V3, "retentoin: 1h"), R3 + "retentoin", "ignores", "retention?"),
    ("a key at another level", V3, one(V3, GCS, "bucket: x"), "dbs[0].bucket", "ignores", "in `replicas`"),
    ("an unknown key", V5, one(V5, GS, "banana: x"), "dbs[0].banana", "not know", "Remove"),
    ("a key of 0.5", V3, one(V3, GCS, top="l0-retention: 1h"), "l0-retention", "0.3 does not know", "Remove"),
    ("snapshot on 0.3", V3, one(V3, GCS, top="snapshot: {retention: 1h}"), "snapshot", "ignores", "retention:"),
    ("retention on 0.5", V5, with_keys(V5, "retention: 72h"), R5 + "retention", "ignores", "`snapshot:`"),
    ("snapshots on 0.5", V5, with_keys(V5, "snapshot-interval: 1h"), R5 + "snapshot-interval", "ignores", "top"),
    ("replica on 0.3", V3, one(V5, "{path: /r}"), "dbs[0].replica", "nothing", "`replicas:`"),
    ("gs on 0.3", V3, one(V3, GS), R3 + "type", "“gs”", "“gcs”"),
    ("gcs on 0.5", V5, one(V5, GCS), R5 + "type", "“gcs”", "“gs”"),
    ("gcs:// on 0.5", V5, one(V5, "{url: 'gcs://b-1/db'}"), R5 + "url", "“gcs://”", "“gs://”"),
    ("another storage", V5, one(V5, "{type: sftp, host: h, path: db}"), R5 + "type", "lease", "s3"),
    ("both kinds of replica", V5, one(V5, GS, "replicas: [{path: /r}]"), "dbs[0].replica", "Both", "Keep one"),
    ("two replicas on 0.5", V5, listed(GS, GS), "dbs[0].replicas", "2 replicas", "Keep"),
    ("two replicas on 0.3", V3, listed(GCS, GCS), "dbs[0].replicas", "2 replicas", "Keep"),
    ("no replica", V5, "dbs: [{path: /data/bot.db}]", "dbs[0]", "No replica", "litestream-0.5.yml"),
    ("an empty list of replicas", V3, listed(), "dbs[0]", "No replica", "litestream.yml"),
    ("an empty replica", V3, listed("null"), "dbs[0].replicas[0]", "crash", "remove"),
    ("several databases", V3, listed(GCS) + "  - {path: /b, replicas: [{path: /r}]}", "dbs", "2 databases", "Keep"),
    ("another database", V3, one(V3, GCS).replace("bot.db", "other.db"), "dbs[0].path", "/data/other.db", "Write"),
    ("no path of the database", V3, "dbs: [{replicas: [{path: /r}]}]", "dbs[0].path", "missing", "LITESTREAM_PATH"),
    ("a folder of databases", V5, one(V5, GS, "dir: /data"), "dbs[0].dir", "folders", "path"),
    ("no bucket", V3, one(V3, "{type: gcs, path: db}"), R3 + "bucket", "missing", "name"),
    ("no path in the bucket", V5, one(V5, "{type: gs, bucket: b-1}"), R5 + "path", "missing", "such as db"),
    ("slashes around the path", V3, one(V3, "{type: s3, bucket: b-1, path: /db}"), R3 + "path", "“/db”", "slashes"),
    ("a folder from nowhere", V3, one(V3, "{path: backup}"), R3 + "path", "“backup”", "from the root"),
    ("url and path", V3, one(V3, "{url: 'gcs://b-1/db', path: db}"), R3 + "url", "`path`", "Keep one"),
    ("url and bucket", V5, one(V5, "{url: 'gs://b-1/db'}", top="bucket: b-1"), R5 + "url", "`bucket`", "Keep one"),
    ("credentials in the url", V5, one(V5, "{url: 's3://me:hunter2@b-1/db'}"), R5 + "url", "credentials", "AWS_"),
    ("parameters on 0.3", V3, one(V3, "{url: 's3://b-1/db?region=r'}"), R3 + "url", "ignores", "`region`"),
    ("escapes in a folder", V3, one(V3, "{url: 'file:///a%20b'}"), R3 + "url", "escapes", "`path`"),
    ("a malformed duration", V3, with_keys(V3, "retention: 3 days"), R3 + "retention", "“3 days”", "72h"),
    ("days", V3, with_keys(V3, "retention: 3d"), R3 + "retention", "“3d”", "72h"),
    ("nanoseconds", V3, with_keys(V3, "sync-interval: 5"), R3 + "sync-interval", "nanoseconds", "unit"),
    ("no time at all", V5, with_keys(V5, "sync-interval: 0s"), R5 + "sync-interval", "more than zero", "1s"),
    ("time below zero", V3, one(V3, GCS, "monitor-interval: -1s"), "dbs[0].monitor-interval", "below zero", "1s"),
    ("a flag in quotes", V3, with_keys(V3, "skip-verify: 'yes'"), R3 + "skip-verify", "neither", "without"),
    ("a number in quotes", V5, with_keys(V5, "concurrency: '5'"), R5 + "concurrency", "whole number", "without"),
    ("a size of nothing", V5, with_keys(V5, "part-size: big"), R5 + "part-size", "“big”", "5MB"),
    ("a number for a text", V3, with_keys(V3, "region: 010"), R3 + "region", "not text", "quotes"),
    ("a text for a list", V5, with_keys(V5, "root-cas: x"), R5 + "root-cas", "not a list", "dash"),
    ("encryption on 0.5", V5, with_keys(V5, "age: {recipients: [x]}"), R5 + "age", "encrypt", "[litestream]"),
    ("a kind of log", V3, one(V3, GCS, top="logging: {type: xml}"), "logging.type", "crashes", "json"),
    ("a short heartbeat", V5, one(V5, GS, top="heartbeat-interval: 5s"), "heartbeat-interval", "1m", "1m"),
    ("a heartbeat to nowhere", V5, one(V5, GS, top="heartbeat-url: ping"), "heartbeat-url", "URL", "https://"),
    ("another program", V3, one(V3, GCS, top="exec: sh"), "exec", "another program", "Remove"),
    (
        "a start without proof",
        V5,
        one(V5, GS, "restore-if-db-not-exists: true"),
        D + "restore-if-db-not-exists",
        "empty",
        "start",
    ),
    ("files elsewhere", V3, one(V3, GCS, "meta-path: /m"), "dbs[0].meta-path", "Litestream's own files", "Remove"),
]


@pytest.mark.parametrize(
    ("version", "text", "where", "sentence", "cure"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN]
)
def test_what_would_fail_is_an_error_with_its_cure(
    version: Format, text: str, where: str, sentence: str, cure: str
) -> None:
    found = at(check(text, version, {}, DATABASE), where)
    assert found.severity is Severity.ERROR
    assert sentence in found.sentence
    assert cure in found.cure
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("version", "text", "where", "words"),
    [
        (V5, with_keys(V5, "name: x"), "dbs[0].replica.name", "ignores"),
        (V5, with_keys(V5, "validation-interval: 1h"), "dbs[0].replica.validation-interval", "`validation:`"),
        (V5, with_keys(V5, "retention-check-interval: 1h"), "dbs[0].replica.retention-check-interval", "ignores"),
        (V5, one(V5, GS, "max-checkpoint-page-count: 5"), "dbs[0].max-checkpoint-page-count", "ignores"),
        (V5, one(V5, GS, top="snapshot: {interval: 72h}"), "snapshot.retention", "a few times as long"),
        (V3, with_keys(V3, "snapshot-interval: 48h"), "dbs[0].replicas[0].retention", "a few times as long"),
        (V3, with_keys(V3, "age: {recipients: [x]}"), "dbs[0].replicas[0].age", "encrypted"),
        (V5, one(V5, GS, top="socket: {enabled: true}"), "socket", "of its own"),
        (V3, one(V3, GCS, top="logging: {type: json}"), "logging", "sets this itself"),
    ],
)
def test_what_has_no_effect_or_a_surprising_one_is_a_warning(
    version: Format, text: str, where: str, words: str
) -> None:
    (found,) = check(text, version, {}, DATABASE)
    assert (found.severity, found.where) == (Severity.WARNING, where)
    assert words in str(found)


def test_a_good_document_has_no_findings() -> None:
    assert check(one(V3, GCS), V3, {}, DATABASE) == []
    assert check(one(V5, GS), V5, {}, DATABASE) == []
    assert check(one(V5, GS).replace("replica: {", "replicas: [{").replace("}\n", "}]\n"), V5, {}) == []


def test_an_unset_variable_is_the_only_finding_at_its_place() -> None:
    text = one(V3, "{type: $KIND, bucket: '${BUCKET}', path: 'db-${NODE}', retention: $KEPT}")
    findings = check(text, V3, {"KIND": "", "NODE": "a"}, DATABASE)
    assert [(each.where, each.sentence) for each in findings] == [
        ("dbs[0].replicas[0].type", "$KIND is not set, or empty."),
        ("dbs[0].replicas[0].bucket", "$BUCKET is not set, or empty."),
        ("dbs[0].replicas[0].retention", "$KEPT is not set, or empty."),
    ]


def test_a_variable_in_a_comment_or_a_lone_dollar_sign_is_fine() -> None:
    text = one(V3, "{type: s3, bucket: b-1, path: db, secret-access-key: 'a$ b'}", top="# ${NOWHERE}")
    assert check(text, V3, {}, DATABASE) == []


PIECES = (
    "dbs",
    ": ",
    "\n",
    "  - ",
    "path",
    "replicas",
    "[",
    "]",
    "{",
    "}",
    "$X",
    "${",
    '"',
    "'",
    "1s",
    "&a ",
    "*a",
    "!!int ",
    "#",
)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join), st.sampled_from(Format))
def test_whatever_stands_in_a_file_has_findings_and_no_failure(text: str, version: Format) -> None:
    assert check(text, version, {}, DATABASE)


def test_a_document_is_shown_without_its_credentials() -> None:
    text = one(
        V5, "{type: s3, bucket: b-1, path: db, secret-access-key: hunter2}", top="heartbeat-url: https://h/unter2"
    )
    shown = yaml.safe_dump(masked(yaml.safe_load(text)))
    assert "unter2" not in shown
    assert "b-1" in shown
