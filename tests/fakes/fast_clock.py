"""A clock that several processes share and that runs faster than the machine's."""

import asyncio
import time
from datetime import UTC, datetime

FACTOR = 60.0
"""A minute passes in a second."""


class FastClock:
    """Real time since `origin` (seconds since 1970), multiplied."""

    def __init__(self, origin: float, factor: float = FACTOR) -> None:
        self.origin = origin
        self.factor = factor

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.origin + (time.time() - self.origin) * self.factor, UTC)

    def monotonic(self) -> float:
        return self.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.factor)
