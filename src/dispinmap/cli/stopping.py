"""How the process ends."""

import asyncio
import gc
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from dispinmap.backup.threads import DaemonExecutor


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends. The first SIGTERM or Ctrl-C cancels it; more of them do not disturb its clean-up."""

    async def stoppable() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonExecutor())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _cancel_once, task)
        with suppress(asyncio.CancelledError):
            await task

    try:
        asyncio.run(stoppable())
    finally:
        # Otherwise Python collects garbage once more before it exits, which takes half a second or more of the ten
        # that the platform grants.
        gc.freeze()


def _cancel_once(task: asyncio.Future[None]) -> None:
    """Cancel the task only once: a second time would interrupt the last sync."""
    if isinstance(task, asyncio.Task) and not task.cancelling():
        task.cancel()
