"""Suggests location names while someone types: cached, one request at a time, and always in time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from dispinmap.clock import Clock
from dispinmap.pinballmap.errors import PinballMapError
from dispinmap.pinballmap.models import LocationHint
from dispinmap.targets.naming import CHOICES, fold

MIN_LETTERS: Final = 3
"""Pinball Map's autocomplete finds nothing for fewer letters."""
FRESH_FOR: Final = timedelta(minutes=10)
CACHED: Final = 500
PAUSE: Final = timedelta(seconds=10)
"""No requests for this long after a failure: people keep typing, but Pinball Map has to recover."""
PATIENCE_SECONDS: Final = 2.0
"""Discord drops an autocomplete answer after 3 seconds. These are real seconds, even if our clock is fast-forwarded."""

_log = structlog.get_logger(__name__)


class Suggestions:
    """Calls `ask` for the newest text only. If someone has typed on since, the older text gets no suggestions."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[tuple[LocationHint, ...]]],
        clock: Clock,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._patience = patience_seconds
        self._cache: dict[str, tuple[datetime, tuple[LocationHint, ...]]] = {}
        self._asking = asyncio.Lock()
        self._newest = ""
        self._failing = False
        self._paused_until = clock.now()

    async def suggest(self, text: str) -> tuple[LocationHint, ...]:
        """At most 25 hints within two seconds. None for fewer than 3 letters, or if Pinball Map fails."""
        wanted = fold(text)
        if len(wanted.replace(" ", "")) < MIN_LETTERS:
            return ()
        self._newest = wanted
        known = self._cached(wanted)
        if known is not None:
            return known
        try:
            async with asyncio.timeout(self._patience):
                return await self._in_turn(wanted, text)
        except TimeoutError as error:
            self._report(error)
            return ()

    async def _in_turn(self, wanted: str, text: str) -> tuple[LocationHint, ...]:
        async with self._asking:
            known = self._cached(wanted)
            if known is not None:
                return known
            if self._is_superseded(wanted) or self._clock.now() < self._paused_until:
                return ()
            return await self._fetch(wanted, text)

    def _is_superseded(self, wanted: str) -> bool:
        """Whether the same text was extended or shortened since. A different text is from someone else."""
        newest = self._newest
        return newest != wanted and (newest.startswith(wanted) or wanted.startswith(newest))

    async def _fetch(self, wanted: str, text: str) -> tuple[LocationHint, ...]:
        try:
            hints = (await self._ask(text))[:CHOICES]
        except PinballMapError as error:
            self._report(error)
            self._paused_until = self._clock.now() + PAUSE
            return ()
        if self._failing:
            _log.info("location_suggestions_recovered")
        self._failing = False
        self._keep(wanted, hints)
        return hints

    def _report(self, error: Exception) -> None:
        if not self._failing:
            _log.warning("location_suggestions_failing", error=type(error).__name__)
        self._failing = True

    def _cached(self, wanted: str) -> tuple[LocationHint, ...] | None:
        until, hints = self._cache.get(wanted, (self._clock.now(), ()))
        return hints if until > self._clock.now() else None

    def _keep(self, wanted: str, hints: tuple[LocationHint, ...]) -> None:
        self._cache.pop(wanted, None)
        while len(self._cache) >= CACHED:
            del self._cache[next(iter(self._cache))]
        self._cache[wanted] = (self._clock.now() + FRESH_FOR, hints)
