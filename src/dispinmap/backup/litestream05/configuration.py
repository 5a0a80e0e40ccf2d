"""The configuration of Litestream 0.5: its keys, and what it does with them.

Litestream does not report a key that it does not know. We found these keys by experiment, and a test repeats it: give
the binary each key at each level with a value of the wrong type, which it refuses only for keys that it reads (0.5.17;
https://litestream.io/reference/config/ lists fewer).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from dispinmap.backup.configuration import schema
from dispinmap.backup.configuration.findings import Finding, Severity, error
from dispinmap.backup.configuration.schema import AGE, Kind, Remark, Schema, keys
from dispinmap.backup.configuration.values import DEFAULT_DAY, first, seconds, section, short_retention

SNAPSHOT_INTERVAL: Final = "24h"
"""0.5 merges its files; it can restore states up to the retention minus this interval ago, or more."""

_SHORTEST_HEARTBEAT: Final = 60.0
"""Seconds; 0.5 refuses less."""

_SNAPSHOT: Final[Schema] = keys(Kind.PERIOD, "interval retention")
_SHARED: Final[Schema] = {
    **keys(Kind.TEXT, "bucket region endpoint access-key-id secret-access-key storage-class"),
    **keys(Kind.TEXT, "sse-customer-algorithm sse-customer-key sse-customer-key-path sse-kms-key-id"),
    **keys(Kind.TEXT, "account-name account-key sas-token host user password key-path host-key"),
    **keys(Kind.TEXT, "webdav-url webdav-username webdav-password"),
    **keys(Kind.TEXT, "jwt seed creds nkey username token client-cert client-key"),
    **keys(Kind.TEXTS, "root-cas"),
    **keys(Kind.FLAG, "force-path-style skip-verify sign-payload sign-accept-encoding require-content-md5"),
    **keys(Kind.FLAG, "concurrent-writes tls auto-recover"),
    **keys(Kind.NUMBER, "concurrency max-reconnects max-sync-ltx-files"),
    **keys(Kind.SIZE, "part-size"),
    **keys(Kind.PERIOD, "sync-interval"),
    **keys(Kind.DURATION, "validation-interval reconnect-wait timeout"),
    "age": AGE,
}
"""Keys of a replica that may also be at the top, for all replicas."""
_REPLICA: Final[Schema] = {**_SHARED, **keys(Kind.TEXT, "type name path url")}
SCHEMA: Final[Schema] = {
    **_SHARED,
    **keys(Kind.TEXT, "addr exec mcp-addr heartbeat-url"),
    **keys(Kind.FLAG, "verify-compaction"),
    **keys(Kind.PERIOD, "l0-retention l0-retention-check-interval shutdown-sync-interval heartbeat-interval"),
    **keys(Kind.DURATION, "shutdown-sync-timeout"),
    "logging": {**keys(Kind.TEXT, "level type"), **keys(Kind.FLAG, "stderr source")},
    "socket": {"enabled": Kind.FLAG, "path": Kind.TEXT, "permissions": Kind.NUMBER},
    "snapshot": _SNAPSHOT,
    "validation": {"interval": Kind.DURATION},
    "levels": [{"interval": Kind.PERIOD}],
    "dbs": [
        {
            **keys(Kind.TEXT, "path dir pattern meta-path meta-dir"),
            **keys(Kind.FLAG, "recursive watch restore-if-db-not-exists"),
            **keys(Kind.DURATION, "monitor-interval checkpoint-interval busy-timeout"),
            **keys(Kind.NUMBER, "min-checkpoint-page-count truncate-page-n max-sync-wal-bytes"),
            "snapshot": _SNAPSHOT,
            "replica": _REPLICA,
            "replicas": [_REPLICA],
        }
    ],
}

_FOLDERS: Final[Remark] = (
    Severity.ERROR,
    "It is for folders of databases, but the bot has one database.",
    "Remove it, and set the database's path.",
)
_NO_EFFECT: Final = "Litestream 0.5 silently ignores it here."
_REPLICA_REMARKS: Final[Mapping[str, Remark]] = {
    "retention": (Severity.ERROR, _NO_EFFECT, "Write `snapshot:` with `retention:` at the top instead."),
    "snapshot-interval": (Severity.ERROR, _NO_EFFECT, "Write `snapshot:` with `interval:` at the top instead."),
    "retention-check-interval": (Severity.WARNING, _NO_EFFECT, "Remove it."),
    "validation-interval": (Severity.WARNING, _NO_EFFECT, "Write `validation:` with `interval:` at the top instead."),
    "name": (Severity.WARNING, _NO_EFFECT, "Remove it."),
}
REMARKS: Final[Mapping[str, Remark]] = {
    **schema.REMARKS,
    "socket": (Severity.WARNING, "The bot uses a control socket of its own instead.", "Remove it."),
    **dict.fromkeys(("dbs.dir", "dbs.pattern", "dbs.recursive", "dbs.watch", "dbs.meta-dir"), _FOLDERS),
    **{f"dbs.{at}.{key}": remark for at in ("replica", "replicas") for key, remark in _REPLICA_REMARKS.items()},
    "validation-interval": _REPLICA_REMARKS["validation-interval"],
    "dbs.max-checkpoint-page-count": (Severity.WARNING, _NO_EFFECT, "Remove it."),
    "dbs.restore-if-db-not-exists": (
        Severity.ERROR,
        "Litestream would start with an empty database if it finds no backup.",
        "Remove it: `dispinmap start` restores the database and checks it.",
    ),
}


def check_replica(document: Mapping[str, object], replica: Mapping[str, object], where: str) -> Iterator[Finding]:
    """What is wrong with the settings of a replica, besides its address."""
    snapshot = {**section(document, "snapshot"), **section(first(document, "dbs"), "snapshot")}
    yield from short_retention(snapshot, "retention", "interval", "snapshot", DEFAULT_DAY)
    if any(section(settings, "age") for settings in (replica, document)):
        yield error(f"{where}.age", "Litestream 0.5 cannot encrypt.", "Remove it, or install dispinmap[litestream].")


def check_heartbeat(document: Mapping[str, object]) -> Iterator[Finding]:
    """What is wrong with Litestream's own heartbeat, which is not ours."""
    address, interval = document.get("heartbeat-url"), seconds(document.get("heartbeat-interval"))
    if isinstance(address, str) and address and not address.startswith(("http://", "https://")):
        yield error("heartbeat-url", "It is not a URL, so Litestream does not start.", "Begin it with https://.")
    if interval and interval < _SHORTEST_HEARTBEAT:
        yield error("heartbeat-interval", "Litestream does not start with less than 1m.", "Write 1m or more.")
