"""The upgrade at the bot's start, in a process of its own, so that Alembic's memory is freed with it.

`python -m dispinmap.database.child` is that process. It reads its order from standard input, writes its events to
standard output as JSON lines, and exits when standard input closes: an upgrade does not outlive its bot.
"""

import asyncio
import json
import logging
import os
import sys
import threading
from asyncio.subprocess import PIPE, Process
from typing import Any, Final

import structlog

from dispinmap.database.engine import uninterrupted
from dispinmap.database.errors import DatabaseError
from dispinmap.database.progress import logged
from dispinmap.database.revisions import head
from dispinmap.database.upgrade import upgrade
from dispinmap.database.verify import revision

FAILED: Final = "upgrade_failed"
"""The event that carries the sentence of a DatabaseError."""
_STANDARD_INPUT: Final = 0


async def bring_to_head(url: str, *, checked: bool = False) -> None:
    """Do what `upgrade` does, log its progress, and raise its DatabaseError.

    A database at head is only checked. That needs no Alembic, and therefore no other process.
    """
    if await asyncio.to_thread(revision, url) == head():
        await asyncio.to_thread(upgrade, url, progress=logged, checked=checked)
        return
    # In its own session, so that Ctrl-C in a terminal reaches only the bot.
    command = (sys.executable, "-m", __name__)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)
    try:
        await _follow(process, {"url": url, "checked": checked})
    finally:
        await _end(process)


async def _follow(process: Process, order: dict[str, object]) -> None:
    assert process.stdin is not None  # noqa: S101 -- for mypy: it is a pipe
    assert process.stdout is not None  # noqa: S101 -- the same
    process.stdin.write(json.dumps(order).encode() + b"\n")
    failure = None
    async for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        if event["event"] == FAILED:
            failure = str(event["error"])
        else:
            _log(event)
    code = await process.wait()
    if failure is not None:
        raise DatabaseError(failure)
    if code:
        raise DatabaseError(
            f"The upgrade of the database ended with code {code}: the log says why. The steps it finished are kept, "
            "and the next start continues from there."
        )


def _log(event: dict[str, Any]) -> None:
    """Repeat an event in the bot's own log, under the name of the module that logged it."""
    name, level = event.pop("logger"), event.pop("level")
    structlog.get_logger(name).log(logging.getLevelNamesMapping()[level.upper()], event.pop("event"), **event)


@uninterrupted
async def _end(process: Process) -> None:
    """Kill the process if it still runs. Each revision is one transaction: the next start continues after the last."""
    if process.returncode is None:
        process.kill()
    await process.wait()


def main() -> None:
    """Upgrade the database that the bot names, and report what happens to the bot."""
    order = json.loads(_line())
    threading.Thread(target=_end_with_the_bot, daemon=True).start()
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=_Lines,
    )
    try:
        upgrade(order["url"], progress=logged, checked=order["checked"])
    except DatabaseError as error:
        structlog.get_logger(__name__).error(FAILED, error=str(error))


class _Lines:
    """Writes each event immediately, so that the bot can show it during the upgrade."""

    def __init__(self, name: str = "dispinmap.database") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        print(line, flush=True)  # noqa: T201 -- the bot reads it

    debug = info = warning = error = log = msg


def _line() -> bytes:
    # Not through sys.stdin: it reads ahead, and its lock gets in the way when the process exits.
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(_STANDARD_INPUT, 65536)
    return line


def _end_with_the_bot() -> None:
    os.read(_STANDARD_INPUT, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
