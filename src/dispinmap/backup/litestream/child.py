"""Litestream as a child process that never outlives us."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dispinmap.backup.litestream import bound

LONGEST_LINE: Final = 1 << 20
"""Bytes; Litestream's longest lines are error messages of a storage service."""


@dataclass(frozen=True, slots=True)
class Output:
    """How a command ended. `text` is all it said, `answer` what it wrote to its standard output alone."""

    code: int
    answer: str
    text: str


async def start(binary: Path, arguments: Sequence[str], environment: Mapping[str, str], *, merged: bool) -> Process:
    """Start it; its standard error comes with its output where that is `merged`. Raises OSError.

    To be called in the main thread, or one that lives as long: Linux ends the child with the thread that started it.
    """
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", bound.__file__, str(os.getpid()), str(binary), *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT if merged else PIPE,
        env=environment,
        limit=LONGEST_LINE,
        # Ctrl-C at a terminal reaches the whole group, and the bot has to end first.
        start_new_session=True,
    )


async def run(binary: Path, arguments: Sequence[str], environment: Mapping[str, str], *, seconds: float) -> Output:
    """Run it to its end. Raises TimeoutError after `seconds`, and OSError; killed then, and when cancelled."""
    process = await start(binary, arguments, environment, merged=False)
    try:
        async with asyncio.timeout(seconds):
            answer, complaints = await process.communicate()
    finally:
        await kill(process)
    said = answer.decode(errors="replace")
    return Output(await process.wait(), said, said + complaints.decode(errors="replace"))


def output(process: Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise ValueError("a process that `start` did not start")
    return process.stdout


async def kill(process: Process) -> None:
    """End it at once, if it has not ended yet."""
    if process.returncode is None:
        process.kill()
        await asyncio.shield(process.wait())
