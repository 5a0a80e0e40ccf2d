"""The configuration of Litestream 0.3: its keys, and what it does with them.

Litestream does not report a key that it does not know. We found these keys by experiment, and a test repeats it: give
the binary each key at each level with a value of the wrong type, which it refuses only for keys that it reads (0.3.13).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from dispinmap.backup.configuration import schema
from dispinmap.backup.configuration.findings import Finding, Severity, warning
from dispinmap.backup.configuration.schema import AGE, Kind, Remark, Schema, keys
from dispinmap.backup.configuration.values import section, short_retention

SNAPSHOT_INTERVAL: Final = "6h"
"""By default 0.3 makes one snapshot per retention, and a restore reads every segment since it; an idle bot stores three
a minute."""

_REPLICA: Final[Schema] = {
    **keys(Kind.TEXT, "type name path url bucket region endpoint access-key-id secret-access-key"),
    **keys(Kind.TEXT, "account-name account-key host user password key-path"),
    **keys(Kind.FLAG, "force-path-style skip-verify"),
    **keys(Kind.PERIOD, "sync-interval retention retention-check-interval"),
    **keys(Kind.DURATION, "snapshot-interval validation-interval"),
    "age": AGE,
}
SCHEMA: Final[Schema] = {
    **keys(Kind.TEXT, "addr exec access-key-id secret-access-key"),
    "logging": {**keys(Kind.TEXT, "level type"), "stderr": Kind.FLAG},
    "dbs": [
        {
            **keys(Kind.TEXT, "path meta-path"),
            **keys(Kind.DURATION, "monitor-interval checkpoint-interval"),
            **keys(Kind.NUMBER, "min-checkpoint-page-count max-checkpoint-page-count"),
            "replicas": [_REPLICA],
        }
    ],
}
REMARKS: Final[Mapping[str, Remark]] = {
    **schema.REMARKS,
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
}


def check_replica(document: Mapping[str, object], replica: Mapping[str, object], where: str) -> Iterator[Finding]:
    """What is wrong with the settings of a replica, besides its address."""
    yield from short_retention(replica, "retention", "snapshot-interval", where, None)
    if any(section(settings, "age") for settings in (replica, document)):
        yield warning(
            f"{where}.age",
            "`dispinmap backup fetch` cannot read an encrypted backup.",
            "Keep Litestream 0.3 at hand.",
        )
