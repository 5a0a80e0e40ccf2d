"""Write Litestream's configuration file for one run."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from dispinmap.backup.errors import BackupError

LOGGING: Final = {"level": "info", "type": "json", "stderr": True}
"""The log format that we parse. Our own log level decides how much of it is shown."""

Prepare = Callable[[Mapping[str, object], Path], dict[str, object]]
"""Makes the document for a run from the configured document and the run's private folder."""


@contextmanager
def run_time_file(document: Mapping[str, object], prepare: Prepare) -> Iterator[Path]:
    """Write the configuration to a file in a temporary folder. Only we can read it, as it may contain credentials.

    The folder's path is short, because the path of a socket in it may have at most 107 bytes. Raises BackupError if the
    folder cannot be created.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="dpm-"))
    except OSError as error:
        raise BackupError(
            f"Litestream's configuration cannot be written ({error.strerror}): mount a writable /tmp, or name another "
            "folder in TMPDIR."
        ) from error
    try:
        file = folder / "litestream.yml"
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(prepare(document, folder)), encoding="utf-8")
        yield file
    finally:
        shutil.rmtree(folder, ignore_errors=True)
