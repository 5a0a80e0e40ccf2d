"""What differs from one Litestream to the other."""

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
    """One line of Litestream's log. `fields` is all of it; a line that is not JSON is its own `said`."""

    level: str
    said: str
    fields: Mapping[str, object]


def parse(text: str) -> Line:
    """A line of Litestream's log, which is JSON but for what it says before it has read its configuration."""
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
    """How far the replica of a running Litestream is."""

    def began(self, folder: Path) -> None:
        """A new process, with its files in `folder`: nothing is known of it."""
        ...

    def heard(self, line: Line) -> None: ...

    async def caught_up(self, *, hurry: bool) -> None:
        """Return once everything committed before this call is in the replica.

        With `hurry` Litestream is asked not to wait for its sync interval, where it can be asked.
        """
        ...


class Dialect(Protocol):
    """One version's own ways. Without state."""

    format: Format
    list_command: tuple[str, ...]
    """What lists the points to restore from, as `points` reads them."""
    bears_checkpoints: bool
    """See `Litestream`."""
    routine: frozenset[str]
    """What it warns of in the ordinary course of things."""

    def environment(self) -> dict[str, str]:
        """This process's, as this version bears it."""
        ...

    def document(self, configured: Mapping[str, object], folder: Path) -> dict[str, object]:
        """The configuration of a run, whose own files go into `folder`."""
        ...

    def points(self, answer: str) -> list[RestorePoint]: ...

    def progress(self, configuration: Configuration, clock: Clock) -> Progress: ...
