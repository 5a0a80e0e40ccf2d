"""How the process ends."""

import asyncio
import gc
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from dispinmap.backup.threads import DaemonExecutor


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, or cancel it at SIGTERM or Ctrl-C and let it clean up, however often it is asked."""

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
        # Python looks through all there is once more before it ends: half a second of the ten there are, or more.
        gc.freeze()


def _cancel_once(task: asyncio.Future[None]) -> None:
    """Cancelling what cleans up would break off the last sync."""
    if isinstance(task, asyncio.Task) and not task.cancelling():
        task.cancel()
