"""Work that must be done by a time on the injected clock."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from dispinmap.clock import Clock

T = TypeVar("T")


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns or raises. Raises TimeoutError, and cancels it, once `seconds` have passed on `clock`."""
    task, limit = asyncio.ensure_future(work), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, limit}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        task.cancel()
        limit.cancel()
        await asyncio.gather(task, limit, return_exceptions=True)
