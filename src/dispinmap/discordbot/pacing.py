"""One pace for every request that carries the bot's token, discord.py's own repeats included."""

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Final

import aiohttp

from dispinmap.clock import Clock

MOST: Final = 50
"""Requests that Discord takes in a second: https://docs.discord.com/developers/topics/rate-limits#global-rate-limit"""
SECONDS: Final = 1.04
"""In which we send that many: 48 a second. Requests that take up to 0.04 s longer than others stay within the limit."""
GAP_SECONDS: Final = 1 / 60
"""Between two requests, so that they do not leave as 50 at once. Shorter than the average of 1/48 s: what a busy
machine delays is made up for within the second."""


class Pace:
    """Lets at most `MOST` through in any `SECONDS`, `GAP_SECONDS` apart: first come, first served."""

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
    """For `discord.Client(http_trace=…)`: let each request that carries the token wait for its turn.

    It waits when it has its connection. Before that, the requests that have to open one would reach Discord later than
    the ones after them, and more than a second's share would arrive in one second.
    Answers to interactions do not carry the token. Discord does not count them either, and gives 3 seconds for them.
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
