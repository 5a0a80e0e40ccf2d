"""The sandbox's time: real time that you can wind forward."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from dispinmap_sandbox.errors import SandboxError


class _Sleeper:
    """A task that sleeps until `due`. Its timer is set again each time the clock is wound."""

    def __init__(self, due: datetime) -> None:
        self.due = due
        self.wake = asyncio.get_running_loop().create_future()
        self._timer: asyncio.TimerHandle | None = None

    def arm(self, now: datetime) -> None:
        self.disarm()
        remaining = (self.due - now).total_seconds()
        if remaining <= 0:
            self._fire()
        else:
            self._timer = self.wake.get_loop().call_later(remaining, self._fire)

    def disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        if not self.wake.done():
            self.wake.set_result(None)


class SandboxClock:
    """Starts at `start` (aware; by default the machine's time) and runs at real speed. `advance` winds it forward."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = (start or datetime.now(UTC)).astimezone(UTC)
        self._began = time.monotonic()
        self._offset = timedelta()
        self._sleepers: list[_Sleeper] = []

    def now(self) -> datetime:
        """The sandbox's current time, aware, in UTC."""
        return self._start + timedelta(seconds=time.monotonic() - self._began) + self._offset

    def monotonic(self) -> float:
        """Seconds since the start, including those wound forward."""
        return (self.now() - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed on this clock, in real time or by `advance`."""
        now = self.now()
        sleeper = _Sleeper(now + timedelta(seconds=seconds))
        self._sleepers.append(sleeper)
        sleeper.arm(now)
        try:
            await sleeper.wake
        finally:
            sleeper.disarm()
            self._sleepers.remove(sleeper)

    def advance(self, seconds: float) -> None:
        """Wind forward and wake every sleeper that is due, earliest first. Raises SandboxError for less than 0."""
        if seconds < 0:
            raise SandboxError("The sandbox's clock only goes forward: give a number of seconds that is not negative.")
        self._offset += timedelta(seconds=seconds)
        now = self.now()
        for sleeper in sorted(self._sleepers, key=lambda sleeper: sleeper.due):
            sleeper.arm(now)
