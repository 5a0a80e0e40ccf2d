"""Spaces out all requests that carry the bot's token, including discord.py's own retries."""

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Final

import aiohttp

from dispinmap.clock import Clock

MOST: Final = 50
"""Requests per second that Discord accepts: https://docs.discord.com/developers/topics/rate-limits#global-rate-limit"""
SECONDS: Final = 1.04
"""We send that many in this time, so 48 per second. Even if some take 0.04 s longer than others, the limit holds."""
GAP_SECONDS: Final = 1 / 60
"""Between two requests, so that 50 do not leave at once. It is shorter than the average of 1/48 s, so that a busy
machine can catch up within the second."""


class Pace:
    """Lets through at most `MOST` requests in any `SECONDS`, `GAP_SECONDS` apart, first come, first served."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = asyncio.Lock()
        self._latest: deque[float] = deque(maxlen=MOST)
        self._seconds = SECONDS

    async def wait(self) -> None:
        """Return when it is our turn."""
        async with self._turn:
            while (pause := self._free_at() - self._clock.monotonic()) > 0:
                await self._clock.sleep(pause)
            self._latest.append(self._clock.monotonic())

    def _free_at(self) -> float:
        if not self._latest:
            return 0.0
        after_last = self._latest[-1] + GAP_SECONDS
        return max(after_last, self._latest[0] + self._seconds) if len(self._latest) == MOST else after_last


def paced(pace: Pace) -> aiohttp.TraceConfig:
    """For `discord.Client(http_trace=…)`: makes each request that carries the token wait for its turn.

    A request waits once it has its connection. If it waited before, requests that still have to connect would reach
    Discord later than their turn, and too many could arrive in one second. Answers to interactions do not carry the
    token: Discord does not count them, and expects them within 3 seconds.
    """

    async def look(
        _session: aiohttp.ClientSession, context: SimpleNamespace, request: aiohttp.TraceRequestStartParams
    ) -> None:
        context.counts = "Authorization" in request.headers

    async def wait(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
        if context.counts:
            await pace.wait()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(look)
    trace.on_connection_create_end.append(wait)
    trace.on_connection_reuseconn.append(wait)
    return trace
