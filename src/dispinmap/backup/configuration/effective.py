"""The configuration in effect: from a file, an address or a bucket."""

from collections.abc import Mapping
from pathlib import Path

from dispinmap.backup.models import Configuration, Format


def configure(
    version: Format,
    *,
    database: Path,
    bucket: str | None,
    replica_url: str | None,
    file: Path | None,
    environ: Mapping[str, str],
) -> Configuration | None:
    """The file wins over the address, which wins over the bucket; None where none of them is set.

    Raises SettingsError with one line per error.
    """
    raise NotImplementedError(version, database, bucket, replica_url, file, environ)
