"""The sandbox's clock runs by itself and can be wound forward."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from dispinmap.clock import wait_for
from dispinmap_sandbox.clock import SandboxClock
from dispinmap_sandbox.errors import SandboxError

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


async def test_it_starts_where_it_is_told_and_runs() -> None:
    clock = SandboxClock(START)
    first = clock.now()
    await clock.sleep(0.01)
    assert first - START < timedelta(seconds=5)
    assert clock.now() - first >= timedelta(seconds=0.01)
    assert clock.now().tzinfo is UTC


async def test_without_a_start_it_is_now() -> None:
    assert abs(SandboxClock().now() - datetime.now(UTC)) < timedelta(seconds=5)


async def test_winding_wakes_whose_time_has_come_in_order_and_nobody_else() -> None:
    clock, woken = SandboxClock(START), list[int]()

    async def sleeper(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.ensure_future(sleeper(seconds)) for seconds in (3000, 60, 4000, 600)]
    await asyncio.sleep(0)
    clock.advance(3600)
    await asyncio.gather(tasks[0], tasks[1], tasks[3])
    assert woken == [60, 600, 3000]
    assert not tasks[2].done()
    clock.advance(400)
    await tasks[2]


async def test_a_short_wait_after_winding_still_ends_by_itself() -> None:
    clock = SandboxClock(START)
    task = asyncio.ensure_future(clock.sleep(3600.01))
    await asyncio.sleep(0)
    clock.advance(3600)
    assert not task.done()
    await task


@pytest.mark.parametrize("seconds", [0, -5])
async def test_a_sleep_of_nothing_returns_at_once(seconds: float) -> None:
    await asyncio.wait_for(SandboxClock(START).sleep(seconds), timeout=5)


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = SandboxClock(START)
    await wait_for(clock, _set(asyncio.Event()), 3600)
    assert clock._sleepers == []
    clock.advance(7200)


async def test_it_never_goes_back() -> None:
    with pytest.raises(SandboxError, match="only goes forward"):
        SandboxClock(START).advance(-1)


def _set(event: asyncio.Event) -> asyncio.Event:
    event.set()
    return event
