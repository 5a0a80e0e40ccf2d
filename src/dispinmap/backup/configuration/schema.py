"""The schema of a configuration: which keys a mapping may have, and what each may contain."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, TypeAlias

from dispinmap.backup.configuration.findings import Severity


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


def keys(kind: Kind, names: str) -> dict[str, Kind]:
    """Several keys with values of one kind; `names` are separated by blanks."""
    return dict.fromkeys(names.split(), kind)


AGE: Final[Schema] = keys(Kind.TEXTS, "identities recipients")

Remark: TypeAlias = tuple[Severity, str, str]
"""Severity, sentence and cure."""
REMARKS: Final[Mapping[str, Remark]] = {
    "logging": (Severity.WARNING, "The bot reads Litestream's log and sets this itself.", "Remove it."),
    "exec": (Severity.ERROR, "Litestream would start another program and end with it.", "Remove it."),
    "dbs.meta-path": (
        Severity.ERROR,
        "When the bot replaces a database, it removes Litestream's own files, which it expects beside the database.",
        "Remove it.",
    ),
}
"""Remarks by key, without list indexes, for every version of Litestream. They apply to any value."""

MASK: Final = "********"
_SECRETS: Final = frozenset(
    {
        *("access-key-id", "secret-access-key", "account-key", "sas-token", "sse-customer-key", "password"),
        *("webdav-password", "jwt", "seed", "nkey", "token", "identities", "heartbeat-url"),
    }
)
"""The keys of credentials. A heartbeat URL is one: anyone who knows it can send heartbeats."""


def masked(value: object) -> object:
    """`value`, a document or a part of one, with each credential replaced by a mask."""
    if isinstance(value, dict):
        return {key: MASK if key in _SECRETS and below else masked(below) for key, below in value.items()}
    return [masked(each) for each in value] if isinstance(value, list) else value
