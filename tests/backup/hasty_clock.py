"""A clock on which sleeping takes no real time."""

from tests.fakes.clock import ManualClock


class HastyClock(ManualClock):
    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
