"""Blocking calls beside the event loop, in threads that cannot keep the process from ending."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def in_thread(function: Callable[[Unpack[Ts]], T], *args: *Ts, seconds: float | None = None) -> T:
    """What `function` returns or raises. Raises TimeoutError after `seconds`; the thread then goes on unheeded.

    Other than those of `asyncio.to_thread` it is a daemon: a call that hangs for good does not outlive the process.
    """
    outcome: Future[T] = Future()
    # From now on cancelling the waiter leaves the future alone, and the thread can still set it.
    outcome.set_running_or_notify_cancel()
    threading.Thread(target=_run, args=(outcome, function, *args), daemon=True).start()
    async with asyncio.timeout(seconds):
        return await asyncio.wrap_future(outcome)


def _run(outcome: Future[T], function: Callable[[Unpack[Ts]], T], *args: *Ts) -> None:
    try:
        result = function(*args)
    except BaseException as error:  # noqa: BLE001 -- handed to whoever waits
        outcome.set_exception(error)
    else:
        outcome.set_result(result)
