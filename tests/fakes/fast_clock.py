"""A clock that several processes share and that runs faster than the machine's."""

import asyncio
import time
from datetime import UTC, datetime

FACTOR = 60.0
"""A minute passes in a second."""


class FastClock:
    """Real time since `origin` (seconds since 1970), multiplied."""

    def __init__(self, origin: float, factor: float = FACTOR) -> None:
        self._origin = origin
        self._factor = factor

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._origin + (time.time() - self._origin) * self._factor, UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._factor)
