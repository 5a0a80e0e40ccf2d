"""Litestream's configuration file, written for one run."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from dispinmap.backup.errors import BackupError

LOGGING: Final = {"level": "info", "type": "json", "stderr": True}
"""What we read; how much of it is shown is a matter of our own log."""

Prepare = Callable[[Mapping[str, object], Path], dict[str, object]]
"""Makes the document of a run from the configured one and the private folder of the run."""


@contextmanager
def run_time_file(document: Mapping[str, object], prepare: Prepare) -> Iterator[Path]:
    """A file that only we can read, for it may hold credentials, in a folder that is gone afterwards.

    The folder's path is short, because that of a socket in it may have no more than 107 bytes. Raises BackupError where
    there is no place for it.
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
