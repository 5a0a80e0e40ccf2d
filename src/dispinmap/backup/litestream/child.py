"""Run Litestream as a child process that never outlives us."""

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
"""Bytes. Litestream's longest lines are error messages from storage services."""


@dataclass(frozen=True, slots=True)
class Output:
    """How a command ended. `answer` is its standard output, `text` also has its standard error."""

    code: int
    answer: str
    text: str


async def start(binary: Path, arguments: Sequence[str], environment: Mapping[str, str], *, merged: bool) -> Process:
    """Start the binary; if `merged`, its standard error goes to its standard output. Raises OSError.

    Call this in the main thread or one that lives as long: Linux kills the child when the thread that started it ends.
    """
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", bound.__file__, str(os.getpid()), str(binary), *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT if merged else PIPE,
        env=environment,
        limit=LONGEST_LINE,
        # Ctrl-C in a terminal goes to the whole process group, but the bot has to stop before Litestream.
        start_new_session=True,
    )


async def run(binary: Path, arguments: Sequence[str], environment: Mapping[str, str], *, seconds: float) -> Output:
    """Run the binary to its end; kill it after `seconds` (TimeoutError) or if we are cancelled. Raises OSError."""
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
    """Kill the process if it has not ended yet, and wait for its end."""
    if process.returncode is None:
        process.kill()
        await asyncio.shield(process.wait())
