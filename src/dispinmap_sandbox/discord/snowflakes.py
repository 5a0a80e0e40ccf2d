"""Ids that contain their time of creation, like Discord's."""

from datetime import UTC, datetime

from dispinmap.clock import Clock

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
"""https://discord.com/developers/docs/reference#snowflakes"""


class Snowflakes:
    """Ids are unique and increasing, even if the clock stands still or goes back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        milliseconds = int((self._clock.now() - EPOCH).total_seconds() * 1000)
        self._last = max(milliseconds << 22, self._last + 1)
        return self._last
