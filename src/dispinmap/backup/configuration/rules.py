"""Rules for a whole configuration: one database, the bot's, and one replica at an address that we understand."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from dispinmap.backup.configuration.findings import Finding, error
from dispinmap.backup.configuration.locations import MalformedReplica, read_replica
from dispinmap.backup.litestream.dialect import Dialect


def rules(document: Mapping[str, object], dialect: Dialect, database: Path | None) -> Iterator[Finding]:
    """What is wrong with the document as a whole; `checking` checks single keys and values."""
    listed = document.get("dbs")
    entries = listed if isinstance(listed, list) else []
    if listed in (None, []):
        yield error("dbs", "No database is listed.", f"Write it as {dialect.example} does.")
    if len(entries) > 1:
        yield error("dbs", f"{len(entries)} databases are listed, but the bot has one.", "Keep that one only.")
    for entry in entries[:1]:
        if isinstance(entry, dict):
            yield from _path(entry, database)
            yield from _replicas(document, entry, dialect)
    yield from dialect.check_document(document)


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


def _replicas(document: Mapping[str, object], entry: Mapping[str, object], dialect: Dialect) -> Iterator[Finding]:
    several, single = entry.get("replicas"), entry.get("replica")
    count = len(several) if isinstance(several, list) else 0
    if single is not None and count:
        yield error("dbs[0].replica", "Both `replica` and `replicas` are set.", "Keep one of them.")
    elif count > 1:
        yield error("dbs[0].replicas", f"{count} replicas are listed, but the bot uses one.", "Keep that one only.")
    elif isinstance(several, list) and count and isinstance(several[0], dict):
        yield from _replica(document, several[0], "dbs[0].replicas[0]", dialect)
    elif isinstance(single, dict) and dialect.single_replica:
        yield from _replica(document, single, "dbs[0].replica", dialect)
    elif single is None and not count:
        yield error("dbs[0]", "No replica is listed.", f"Write one as {dialect.example} does.")


def _replica(
    document: Mapping[str, object], replica: Mapping[str, object], where: str, dialect: Dialect
) -> Iterator[Finding]:
    try:
        read_replica(document, dialect)
    except MalformedReplica as problem:
        yield error(f"{where}.{problem.key}", problem.sentence, problem.cure)
    yield from dialect.check_replica(document, replica, where)
