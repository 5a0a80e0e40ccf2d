"""`dispinmap run`: the bot for real."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from dispinmap import app, log
from dispinmap.backup.threads import Unwaited
from dispinmap.clock import SystemClock
from dispinmap.settings import Settings


def run() -> None:
    """Run the bot. It reads its settings from the environment and from .env."""
    settings = Settings.load()
    log.configure(settings.log_level, settings.log_format, settings.secrets)
    run_until_stopped(app.run(settings, SystemClock()))


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, or cancel it at SIGTERM or Ctrl-C and let it clean up, however often it is asked."""

    async def stoppable() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(Unwaited())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _cancel_once, task)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(stoppable())


def _cancel_once(task: asyncio.Future[None]) -> None:
    """Cancelling what cleans up would break off the last sync."""
    if isinstance(task, asyncio.Task) and not task.cancelling():
        task.cancel()
