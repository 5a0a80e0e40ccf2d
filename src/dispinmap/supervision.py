"""Restarting loops that fail, and reporting the failures."""

from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import structlog

from dispinmap.backoff import pause_after
from dispinmap.clock import Clock
from dispinmap.health import Vitals

MAX_FAILURES: Final = 8
"""Failures in a row after which the process ends, so that the platform starts a new one."""
LONGEST_PAUSE_SECONDS: Final = 60.0
STEADY_SECONDS: Final = 600.0
"""A loop that ran this long before it failed had recovered: its failures count from one again."""

log = structlog.get_logger(__name__)


async def supervise(name: str, loop: Callable[[], Awaitable[NoReturn]], clock: Clock, vitals: Vitals) -> None:
    """Run `loop` forever. Report each failure and restart the loop after a growing pause.

    Raises the last failure after `MAX_FAILURES` in a row.
    """
    failures = 0
    while True:
        vitals.loop_runs(name)
        started = clock.now()
        try:
            await loop()
        except Exception as error:
            failures = 1 if (clock.now() - started).total_seconds() > STEADY_SECONDS else failures + 1
            vitals.loop_failed(name, f"failed {failures} times in a row, last with {type(error).__name__}")
            log.exception("loop_failed", loop=name, failures=failures)
            if failures >= MAX_FAILURES:
                raise
        await clock.sleep(pause_after(failures, 1.0, LONGEST_PAUSE_SECONDS))
