"""What Litestream does not check: a configuration's keys, values and whether they have any effect."""

from collections.abc import Mapping
from pathlib import Path

from dispinmap.backup.configuration.findings import Finding
from dispinmap.backup.models import Format


def check(text: str, version: Format, environ: Mapping[str, str], database: Path | None = None) -> list[Finding]:
    """Everything that is wrong with the configuration `text` for that version of Litestream."""
    raise NotImplementedError(text, version, environ, database)
