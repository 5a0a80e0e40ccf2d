"""The interface for what differs between versions of Litestream."""

import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from dispinmap.backup.configuration.findings import Finding, error
from dispinmap.backup.configuration.schema import Remark, Schema
from dispinmap.backup.configuration.values import section
from dispinmap.backup.models import Configuration, Format, Replica, RestorePoint
from dispinmap.backup.storage.store import Store
from dispinmap.clock import Clock

_LOG_TYPES: Final = (None, "", "text", "json")
_ERROR: Final = re.compile(r'error="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Line:
    """One line of Litestream's log. `fields` are all its JSON fields; if it is not JSON, `said` is the whole line."""

    level: str
    said: str
    fields: Mapping[str, object]


def parse(text: str) -> Line:
    """Parse a line of Litestream's log. It is JSON, except before Litestream has read its configuration."""
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        said = text.strip()
        level = "ERROR" if said.startswith("Error") or "level=ERROR" in said else "INFO"
        found = _ERROR.search(said)
        return Line(level, said, {"error": found[1]} if found else {})
    return Line(str(fields.get("level")), str(fields.get("msg")), fields)


class Progress(Protocol):
    """Tells whether the replica of a running Litestream has caught up."""

    def began(self, folder: Path) -> None:
        """A new process has started, with its files in `folder`: forget everything about the previous one."""
        ...

    def heard(self, line: Line) -> None:
        """The process has logged this line."""
        ...

    async def caught_up(self, *, hurry: bool) -> None:
        """Return once everything committed before this call is in the replica.

        With `hurry` we ask Litestream not to wait for its sync interval, if this version can be asked.
        """
        ...


class ReplicaReader(Protocol):
    """Reads replicas of one version without Litestream, which does not tell everything."""

    async def points(self, store: Store, replica: Replica) -> list[RestorePoint]:
        """Every restore point, newest first."""
        ...

    async def missing_pieces(self, store: Store, replica: Replica, at: datetime | None) -> list[str]:
        """What a restore of the state at `at` silently leaves out, one sentence each.

        Raises NoBackup, RestoreFailed if an object is damaged, and StorageError.
        """
        ...

    def further_arguments(self, points: Sequence[RestorePoint], at: datetime) -> list[str]:
        """Arguments with which to try again if a restore at `at` found no backup; empty if that is no use."""
        ...


class Dialect(ABC):
    """What is particular to one version of Litestream. Has no state."""

    format: ClassVar[Format]
    oldest_patch: ClassVar[int]
    """The oldest 0.x.PATCH that we support."""
    supported: ClassVar[str]
    """The supported versions, for people."""
    list_command: ClassVar[tuple[str, ...]]
    """The command that lists restore points; `points` parses its output."""
    allows_checkpoints: ClassVar[bool]
    """See `Litestream`."""
    prunes_during_restore: ClassVar[bool]
    """Whether a restore can fail because Litestream deletes a file that it is about to read."""
    routine: ClassVar[frozenset[str]] = frozenset()
    """Warnings that this version logs in normal operation."""
    example: ClassVar[str]
    """The example of a configuration in this project."""
    schema: ClassVar[Schema]
    remarks: ClassVar[Mapping[str, Remark]]
    """Remarks by key, without list indexes. They apply to any value."""
    gcs_name: ClassVar[str]
    """The name for Google's storage. Each version refuses the other's name."""
    path_in_bucket: ClassVar[str]
    """The path of the replica if only the bucket is given."""
    single_replica: ClassVar[bool]
    """Whether a database may have `replica`, not just `replicas`."""
    reads_url_parameters: ClassVar[bool]
    """Whether it reads what follows the question mark in the URL of a replica."""
    reader: ClassVar[ReplicaReader | None] = None
    """None if Litestream itself lists all restore points and notices missing pieces."""

    @abstractmethod
    def make_document(self, database: str, replica: Mapping[str, object], retention: str) -> dict[str, object]:
        """A configuration for one database; `replica` has its settings, `retention` is how long it is kept."""

    @abstractmethod
    def document(self, configured: Mapping[str, object], folder: Path) -> dict[str, object]:
        """The configuration for one run; the run's own files go into `folder`."""

    @abstractmethod
    def points(self, answer: str) -> list[RestorePoint]:
        """The restore points in the output of `list_command`."""

    @abstractmethod
    def progress(self, configuration: Configuration, clock: Clock) -> Progress:
        """The progress of a Litestream that is not running yet."""

    @abstractmethod
    def check_replica(
        self, document: Mapping[str, object], replica: Mapping[str, object], where: str
    ) -> Iterator[Finding]:
        """What is wrong with the settings of a replica, besides its address; `where` is its place in the document."""

    def check_document(self, document: Mapping[str, object]) -> Iterator[Finding]:
        """What is wrong with the settings at the top."""
        if section(document, "logging").get("type") not in _LOG_TYPES:
            yield error("logging.type", "Litestream crashes unless it is text or json.", "Write json.")

    def with_defaults(self, document: dict[str, Any]) -> dict[str, Any]:
        """A valid document with our own defaults, if there are any."""
        return document

    def environment(self) -> dict[str, str]:
        """Our environment, minus variables this version cannot handle."""
        return dict(os.environ)
