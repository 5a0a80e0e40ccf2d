"""Rules for a whole configuration: one database, the bot's, and one replica at an address that we understand."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from dispinmap.backup.configuration.findings import Finding, error, warning
from dispinmap.backup.configuration.locations import MalformedReplica, read_replica
from dispinmap.backup.configuration.values import seconds
from dispinmap.backup.models import Format

EXAMPLES: Final = {Format.V0_3: "litestream.yml", Format.V0_5: "litestream-0.5.yml"}
_LOG_TYPES: Final = (None, "", "text", "json")
_SHORTEST_HEARTBEAT: Final = 60.0
"""Seconds; 0.5 refuses less."""
_DEFAULT_DAY: Final = "24h"
"""The default retention of both versions, and 0.5's default interval between snapshots."""


def rules(document: Mapping[str, object], version: Format, database: Path | None) -> Iterator[Finding]:
    """What is wrong with the document as a whole; `checking` checks single keys and values."""
    listed = document.get("dbs")
    entries = listed if isinstance(listed, list) else []
    if listed in (None, []):
        yield error("dbs", "No database is listed.", f"Write it as {EXAMPLES[version]} does.")
    if len(entries) > 1:
        yield error("dbs", f"{len(entries)} databases are listed, but the bot has one.", "Keep that one only.")
    for entry in entries[:1]:
        if isinstance(entry, dict):
            yield from _path(entry, database)
            yield from _replica(document, entry, version)
    if version is Format.V0_5:
        yield from _heartbeat(document)
    yield from _logging(document)


def _path(entry: Mapping[str, object], database: Path | None) -> Iterator[Finding]:
    path = entry.get("path")
    if not path:
        yield error("dbs[0].path", "The database's path is missing.", "Write `path: ${LITESTREAM_PATH}`.")
    elif isinstance(path, str) and database is not None and _at_home(path).resolve() != database.resolve():
        yield error(
            "dbs[0].path",
            f"It names {path}, but the bot's database is {database}.",
            "Write `path: ${LITESTREAM_PATH}`, which is the bot's database.",
        )


def _at_home(path: str) -> Path:
    """The path as Litestream reads it, which expands a tilde."""
    return Path(path).expanduser() if path.startswith("~/") else Path(path)


def _replica(document: Mapping[str, object], entry: Mapping[str, object], version: Format) -> Iterator[Finding]:
    several, single = entry.get("replicas"), entry.get("replica")
    count = len(several) if isinstance(several, list) else 0
    if single is not None and count:
        yield error("dbs[0].replica", "Both `replica` and `replicas` are set.", "Keep one of them.")
    elif count > 1:
        yield error("dbs[0].replicas", f"{count} replicas are listed, but the bot uses one.", "Keep that one only.")
    elif isinstance(several, list) and count and isinstance(several[0], dict):
        yield from _settings(document, entry, several[0], "dbs[0].replicas[0]", version)
    elif isinstance(single, dict) and version is Format.V0_5:
        yield from _settings(document, entry, single, "dbs[0].replica", version)
    elif single is None and not count:
        yield error("dbs[0]", "No replica is listed.", f"Write one as {EXAMPLES[version]} does.")


def _settings(
    document: Mapping[str, object],
    entry: Mapping[str, object],
    replica: Mapping[str, object],
    where: str,
    version: Format,
) -> Iterator[Finding]:
    try:
        read_replica(document, version)
    except MalformedReplica as problem:
        yield error(f"{where}.{problem.key}", problem.sentence, problem.cure)
    encrypted = any(_section(settings, "age") for settings in (replica, document))
    if version is Format.V0_3:
        yield from _retention(replica, "retention", "snapshot-interval", where, None)
        if encrypted:
            yield warning(
                f"{where}.age",
                "`dispinmap backup fetch` cannot read an encrypted backup.",
                "Keep Litestream 0.3 at hand.",
            )
        return
    snapshot = {**_section(document, "snapshot"), **_section(entry, "snapshot")}
    yield from _retention(snapshot, "retention", "interval", "snapshot", _DEFAULT_DAY)
    if encrypted:
        yield error(f"{where}.age", "Litestream 0.5 cannot encrypt.", "Remove it, or install dispinmap[litestream].")


def _retention(
    settings: Mapping[str, object], retention: str, interval: str, where: str, default: str | None
) -> Iterator[Finding]:
    """`default` is the interval if none is set; None means that Litestream keeps a recent enough snapshot anyway."""
    kept = seconds(settings.get(retention) or _DEFAULT_DAY)
    between = seconds(settings.get(interval) or default)
    if kept and between and kept < between:
        yield warning(
            f"{where}.{retention}",
            f"It is shorter than the time between two snapshots ({interval}), so there may be no earlier state to "
            "restore.",
            f"Make {retention} a few times as long as {interval}.",
        )


def _heartbeat(document: Mapping[str, object]) -> Iterator[Finding]:
    address, interval = document.get("heartbeat-url"), seconds(document.get("heartbeat-interval"))
    if isinstance(address, str) and address and not address.startswith(("http://", "https://")):
        yield error("heartbeat-url", "It is not a URL, so Litestream does not start.", "Begin it with https://.")
    if interval and interval < _SHORTEST_HEARTBEAT:
        yield error("heartbeat-interval", "Litestream does not start with less than 1m.", "Write 1m or more.")


def _logging(document: Mapping[str, object]) -> Iterator[Finding]:
    if _section(document, "logging").get("type") not in _LOG_TYPES:
        yield error("logging.type", "Litestream crashes unless it is text or json.", "Write json.")


def _section(settings: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = settings.get(key)
    return value if isinstance(value, dict) else {}
