"""The pace of requests to Discord, on a clock that only its sleepers move."""

import asyncio
from itertools import pairwise

import pytest

from dispinmap.discordbot.pacing import GAP_SECONDS, MOST, Pace
from dispinmap_sandbox.discord.limits import GLOBAL
from tests.fakes.clock import ManualClock

REQUESTS = 500
LEAST_SHARE = 0.95
"""Of what Discord takes."""


class LateClock(ManualClock):
    """Sleeping moves it on, by a little more than was asked for."""

    def __init__(self, late: float) -> None:
        super().__init__()
        self._late = late

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds + self._late)


async def released(clock: ManualClock, requests: int = REQUESTS) -> list[float]:
    """When each of so many requests that all wait at once may leave."""
    pace, times = Pace(clock), list[float]()

    async def one() -> None:
        await pace.wait()
        times.append(clock.monotonic())

    await asyncio.gather(*(one() for _ in range(requests)))
    return times


@pytest.mark.parametrize("late", [0.0, 0.001, 0.004])
async def test_no_second_has_more_than_discord_takes_and_few_have_less(late: float) -> None:
    times = await released(LateClock(late))
    assert max(sum(start <= time < start + GLOBAL.seconds for time in times) for start in times) <= GLOBAL.limit
    assert (REQUESTS - 1) / (times[-1] - times[0]) >= LEAST_SHARE * GLOBAL.limit / GLOBAL.seconds


async def test_requests_leave_one_after_the_other() -> None:
    times = await released(LateClock(0.0), MOST)
    # A thousandth of a second of tolerance for the clock's microseconds.
    assert all(later - earlier > GAP_SECONDS - 0.001 for earlier, later in pairwise(times))


async def test_what_a_busy_machine_held_up_is_made_up_for() -> None:
    clock = LateClock(0.0)
    pace, times = Pace(clock), list[float]()
    for number in range(REQUESTS):
        await pace.wait()
        times.append(clock.monotonic())
        if number % MOST == 0:
            clock.advance(0.1)
    assert (REQUESTS - 1) / (times[-1] - times[0]) >= LEAST_SHARE * GLOBAL.limit / GLOBAL.seconds


async def test_a_request_that_is_given_up_holds_up_no_other() -> None:
    clock = ManualClock()
    pace = Pace(clock)
    await pace.wait()
    given_up = asyncio.create_task(pace.wait())
    other = asyncio.create_task(pace.wait())
    await asyncio.sleep(0)
    assert clock.asleep == 1
    given_up.cancel()
    await asyncio.wait({given_up})
    clock.advance(GAP_SECONDS)
    await other
