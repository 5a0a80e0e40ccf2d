"""The interface for what differs between versions of Litestream."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from dispinmap.backup.models import Configuration, Format, RestorePoint
from dispinmap.clock import Clock

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


class Dialect(Protocol):
    """What is particular to one version of Litestream. Has no state."""

    format: Format
    list_command: tuple[str, ...]
    """The command that lists restore points; `points` parses its output."""
    allows_checkpoints: bool
    """See `Litestream`."""
    routine: frozenset[str]
    """Warnings that this version logs in normal operation."""

    def environment(self) -> dict[str, str]:
        """Our environment, minus variables this version cannot handle."""
        ...

    def document(self, configured: Mapping[str, object], folder: Path) -> dict[str, object]:
        """The configuration for one run; the run's own files go into `folder`."""
        ...

    def points(self, answer: str) -> list[RestorePoint]:
        """The restore points in the output of `list_command`."""
        ...

    def progress(self, configuration: Configuration, clock: Clock) -> Progress: ...
