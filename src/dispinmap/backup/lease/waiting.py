"""A time limit on the injected clock."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from dispinmap.clock import Clock

LOOK_SECONDS: Final = 0.25
"""How often we compare with the clock. While the machine sleeps, the event loop's timers stand still and the clock goes
on, so one long sleep would end too late."""

T = TypeVar("T")


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns or raises. Raises TimeoutError, and cancels it, once `seconds` have passed on `clock`."""
    task, limit = asyncio.ensure_future(work), asyncio.ensure_future(_passed(clock, clock.monotonic() + seconds))
    try:
        await asyncio.wait({task, limit}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        task.cancel()
        limit.cancel()
        await asyncio.gather(task, limit, return_exceptions=True)


async def _passed(clock: Clock, until: float) -> None:
    while (left := until - clock.monotonic()) > 0:
        await clock.sleep(min(left, LOOK_SECONDS))
