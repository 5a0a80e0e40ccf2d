"""The keys that each version of Litestream reads, and remarks on keys that do not do what one would expect.

Neither version reports a key that it does not know. We found these sets by experiment, and a test repeats it: give each
binary each key at each level with a value of the wrong type, which it refuses only for keys that it reads (0.3.13 and
0.5.17; https://litestream.io/reference/config/ lists fewer keys than 0.5.17 reads).
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, TypeAlias

from dispinmap.backup.configuration.findings import Severity
from dispinmap.backup.models import Format


class Kind(Enum):
    """The kind of value that a key needs."""

    TEXT = auto()
    TEXTS = auto()
    """A list of texts."""
    FLAG = auto()
    NUMBER = auto()
    SIZE = auto()
    """Bytes, such as "5MB"."""
    DURATION = auto()
    """A duration in Go's format, such as "1h30m"; zero usually turns something off."""
    PERIOD = auto()
    """A duration above zero."""


Schema: TypeAlias = "Mapping[str, Node]"
"""The keys of a mapping, and what each may contain."""
Node: TypeAlias = "Kind | Schema | list[Schema]"
"""A schema in a list means a list of such mappings."""


def _all(kind: Kind, keys: str) -> dict[str, Kind]:
    return dict.fromkeys(keys.split(), kind)


_AGE: Final[Schema] = _all(Kind.TEXTS, "identities recipients")
_SNAPSHOT: Final[Schema] = _all(Kind.PERIOD, "interval retention")
_REPLICA_03: Final[Schema] = {
    **_all(Kind.TEXT, "type name path url bucket region endpoint access-key-id secret-access-key"),
    **_all(Kind.TEXT, "account-name account-key host user password key-path"),
    **_all(Kind.FLAG, "force-path-style skip-verify"),
    **_all(Kind.PERIOD, "sync-interval retention retention-check-interval"),
    **_all(Kind.DURATION, "snapshot-interval validation-interval"),
    "age": _AGE,
}
_SHARED_05: Final[Schema] = {
    **_all(Kind.TEXT, "bucket region endpoint access-key-id secret-access-key storage-class"),
    **_all(Kind.TEXT, "sse-customer-algorithm sse-customer-key sse-customer-key-path sse-kms-key-id"),
    **_all(Kind.TEXT, "account-name account-key sas-token host user password key-path host-key"),
    **_all(Kind.TEXT, "webdav-url webdav-username webdav-password"),
    **_all(Kind.TEXT, "jwt seed creds nkey username token client-cert client-key"),
    **_all(Kind.TEXTS, "root-cas"),
    **_all(Kind.FLAG, "force-path-style skip-verify sign-payload sign-accept-encoding require-content-md5"),
    **_all(Kind.FLAG, "concurrent-writes tls auto-recover"),
    **_all(Kind.NUMBER, "concurrency max-reconnects max-sync-ltx-files"),
    **_all(Kind.SIZE, "part-size"),
    **_all(Kind.PERIOD, "sync-interval"),
    **_all(Kind.DURATION, "validation-interval reconnect-wait timeout"),
    "age": _AGE,
}
"""Keys of a replica that may also be at the top, for all replicas."""
_REPLICA_05: Final[Schema] = {**_SHARED_05, **_all(Kind.TEXT, "type name path url")}

SCHEMAS: Final[Mapping[Format, Schema]] = {
    Format.V0_3: {
        **_all(Kind.TEXT, "addr exec access-key-id secret-access-key"),
        "logging": {**_all(Kind.TEXT, "level type"), "stderr": Kind.FLAG},
        "dbs": [
            {
                **_all(Kind.TEXT, "path meta-path"),
                **_all(Kind.DURATION, "monitor-interval checkpoint-interval"),
                **_all(Kind.NUMBER, "min-checkpoint-page-count max-checkpoint-page-count"),
                "replicas": [_REPLICA_03],
            }
        ],
    },
    Format.V0_5: {
        **_SHARED_05,
        **_all(Kind.TEXT, "addr exec mcp-addr heartbeat-url"),
        **_all(Kind.FLAG, "verify-compaction"),
        **_all(Kind.PERIOD, "l0-retention l0-retention-check-interval shutdown-sync-interval heartbeat-interval"),
        **_all(Kind.DURATION, "shutdown-sync-timeout"),
        "logging": {**_all(Kind.TEXT, "level type"), **_all(Kind.FLAG, "stderr source")},
        "socket": {"enabled": Kind.FLAG, "path": Kind.TEXT, "permissions": Kind.NUMBER},
        "snapshot": _SNAPSHOT,
        "validation": {"interval": Kind.DURATION},
        "levels": [{"interval": Kind.PERIOD}],
        "dbs": [
            {
                **_all(Kind.TEXT, "path dir pattern meta-path meta-dir"),
                **_all(Kind.FLAG, "recursive watch restore-if-db-not-exists"),
                **_all(Kind.DURATION, "monitor-interval checkpoint-interval busy-timeout"),
                **_all(Kind.NUMBER, "min-checkpoint-page-count truncate-page-n max-sync-wal-bytes"),
                "snapshot": _SNAPSHOT,
                "replica": _REPLICA_05,
                "replicas": [_REPLICA_05],
            }
        ],
    },
}

Remark: TypeAlias = tuple[Severity, str, str]
"""Severity, sentence and cure."""

_FOLDERS: Final[Remark] = (
    Severity.ERROR,
    "It is for folders of databases, but the bot has one database.",
    "Remove it, and set the database's path.",
)
_NO_EFFECT: Final = "Litestream 0.5 silently ignores it here."
_BOTH: Final[Mapping[str, Remark]] = {
    "logging": (Severity.WARNING, "The bot reads Litestream's log and sets this itself.", "Remove it."),
    "exec": (Severity.ERROR, "Litestream would start another program and end with it.", "Remove it."),
    "dbs.meta-path": (
        Severity.ERROR,
        "When the bot replaces a database, it removes Litestream's own files, which it expects beside the database.",
        "Remove it.",
    ),
}
_REPLICA_REMARKS_05: Final[Mapping[str, Remark]] = {
    "retention": (Severity.ERROR, _NO_EFFECT, "Write `snapshot:` with `retention:` at the top instead."),
    "snapshot-interval": (Severity.ERROR, _NO_EFFECT, "Write `snapshot:` with `interval:` at the top instead."),
    "retention-check-interval": (Severity.WARNING, _NO_EFFECT, "Remove it."),
    "validation-interval": (Severity.WARNING, _NO_EFFECT, "Write `validation:` with `interval:` at the top instead."),
    "name": (Severity.WARNING, _NO_EFFECT, "Remove it."),
}
REMARKS: Final[Mapping[Format, Mapping[str, Remark]]] = {
    Format.V0_3: {
        **_BOTH,
        "dbs.replica": (
            Severity.ERROR,
            "Litestream 0.3 silently ignores it and replicates nothing.",
            "Write `replicas:` with one entry, which begins with a dash.",
        ),
        "snapshot": (
            Severity.ERROR,
            "Litestream 0.3 silently ignores it.",
            "Write `retention:` and `snapshot-interval:` in the replica instead.",
        ),
    },
    Format.V0_5: {
        **_BOTH,
        "socket": (Severity.WARNING, "The bot uses a control socket of its own instead.", "Remove it."),
        **dict.fromkeys(("dbs.dir", "dbs.pattern", "dbs.recursive", "dbs.watch", "dbs.meta-dir"), _FOLDERS),
        **{f"dbs.{at}.{key}": remark for at in ("replica", "replicas") for key, remark in _REPLICA_REMARKS_05.items()},
        "validation-interval": _REPLICA_REMARKS_05["validation-interval"],
        "dbs.max-checkpoint-page-count": (Severity.WARNING, _NO_EFFECT, "Remove it."),
        "dbs.restore-if-db-not-exists": (
            Severity.ERROR,
            "Litestream would start with an empty database if it finds no backup.",
            "Remove it: `dispinmap start` restores the database and checks it.",
        ),
    },
}
"""Remarks by key, without list indexes. They apply to any value."""
