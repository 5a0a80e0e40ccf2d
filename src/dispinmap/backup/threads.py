"""Run blocking calls in threads that do not keep the process from ending."""

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
    """What `function` returns or raises. Raises TimeoutError after `seconds`; the thread keeps running, ignored.

    Unlike the threads of `asyncio.to_thread` it is a daemon, so a call that hangs for ever does not keep us alive.
    """
    async with asyncio.timeout(seconds):
        return await asyncio.wrap_future(_started(partial(function, *args)))


class DaemonExecutor(ThreadPoolExecutor):
    """Runs an event loop's blocking calls in threads that Python does not wait for at exit.

    A migration or a name lookup could delay a stop for longer than a platform waits. Both may safely be killed.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return _started(partial(fn, *args, **kwargs))


def _started(call: Callable[[], T]) -> Future[T]:
    outcome: Future[T] = Future()
    # A running future cannot be cancelled. Otherwise the thread would fail when it sets the result of a cancelled one.
    outcome.set_running_or_notify_cancel()
    threading.Thread(target=_run, args=(outcome, call), daemon=True).start()
    return outcome


def _run(outcome: Future[T], call: Callable[[], T]) -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 -- passed on to the caller
        outcome.set_exception(error)
    else:
        outcome.set_result(result)
