"""Blocking calls beside the event loop, in threads that cannot keep the process from ending."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar, TypeVarTuple, Unpack

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def in_thread(function: Callable[[Unpack[Ts]], T], *args: *Ts, seconds: float | None = None) -> T:
    """What `function` returns or raises. Raises TimeoutError after `seconds`; the thread then goes on unheeded.

    Other than those of `asyncio.to_thread` it is a daemon: a call that hangs for good does not outlive the process.
    """
    async with asyncio.timeout(seconds):
        return await asyncio.wrap_future(_started(partial(function, *args)))


class Unwaited(ThreadPoolExecutor):
    """For an event loop: Python waits for the threads of an ordinary pool before it ends.

    A migration or the look-up of a name would hold up a stop for longer than a platform waits, and bear to be killed.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return _started(partial(fn, *args, **kwargs))


def _started(call: Callable[[], T]) -> Future[T]:
    outcome: Future[T] = Future()
    # From now on cancelling the waiter leaves the future alone, and the thread can still set it.
    outcome.set_running_or_notify_cancel()
    threading.Thread(target=_run, args=(outcome, call), daemon=True).start()
    return outcome


def _run(outcome: Future[T], call: Callable[[], T]) -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 -- handed to whoever waits
        outcome.set_exception(error)
    else:
        outcome.set_result(result)
