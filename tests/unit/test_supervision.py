"""A loop that dies is reported and started again, or the process ends."""

from datetime import datetime, timedelta
from typing import NoReturn

import pytest

from dispinmap.health import RUNNING, Vitals
from dispinmap.supervision import LONGEST_PAUSE_SECONDS, MAX_FAILURES, STEADY_SECONDS, supervise
from tests.fakes.values import NOON


class SkippingClock:
    """Does not wait: time jumps to the end of each sleep."""

    def __init__(self) -> None:
        self._now = NOON
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self._now += timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class StopError(BaseException):
    """Ends the test."""


async def test_a_loop_that_keeps_dying_is_started_again_later_and_later_and_ends_the_process() -> None:
    clock, vitals = SkippingClock(), Vitals(NOON)

    async def loop() -> NoReturn:
        raise KeyError("a row nobody foresaw")

    with pytest.raises(KeyError):
        await supervise("feed", loop, clock, vitals)
    assert clock.sleeps == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE_SECONDS]
    assert vitals.errors == MAX_FAILURES
    assert "KeyError" in vitals.loops["feed"]


async def test_a_loop_that_ran_for_long_is_forgiven() -> None:
    clock, vitals = SkippingClock(), Vitals(NOON)
    runs = 0

    async def loop() -> NoReturn:
        nonlocal runs
        runs += 1
        if runs > 3 * MAX_FAILURES:
            raise StopError
        clock.advance(STEADY_SECONDS + 1)
        raise KeyError

    with pytest.raises(StopError):
        await supervise("feed", loop, clock, vitals)
    assert set(clock.sleeps) == {1}
    assert vitals.loops == {"feed": RUNNING}
