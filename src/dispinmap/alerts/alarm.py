"""Checking the bot's health every minute, and telling the operator about faults that stay."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NoReturn

import structlog

from dispinmap.alerts.alerts import Alerts
from dispinmap.clock import Clock
from dispinmap.health import REPORT, REPORT_SECONDS, Part, no_report

log = structlog.get_logger(__name__)

LOOK_SECONDS = 60.0
PATIENCE = timedelta(minutes=3)
"""How long a part may be at fault before the operator is told: a reconnection or a restart takes less."""
AT_ONCE = frozenset({"drill"})
"""Parts whose faults do not go away by themselves, so they are told at once, but not at the first look after a start:
a bot that starts again and again would repeat them.
"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A part at fault since `since`; `told` once the operator knows."""

    since: datetime
    told: bool = False
    at_once: bool = False
    """Whether to tell the operator without waiting for `PATIENCE`."""


Troubles = Mapping[str, Trouble]


def decide(known: Troubles | None, found: Mapping[str, Part], now: datetime) -> tuple[Troubles, dict[str, str]]:
    """The troubles to remember, and the sentences to send, by part. `known` is what the last look returned, or None.

    A trouble that was never told ends silently. One that was told stays until its end is told too.
    """
    new = {name: Trouble(now, at_once=known is not None and name in AT_ONCE) for name in found}
    known = known or {}
    faulty = {name: part for name, part in found.items() if not part.ok}
    told = {name: trouble for name, trouble in known.items() if trouble.told}
    # Without a report we do not know about the others, so their troubles stay as they were.
    kept = known if REPORT in faulty else told
    troubles = {**kept, **{name: known.get(name, new[name]) for name in faulty}}
    news = {
        name: f"⚠ DisPinMap, {name}: {part}"
        for name, part in faulty.items()
        if not troubles[name].told and (troubles[name].at_once or now - troubles[name].since >= PATIENCE)
    }
    ended = () if REPORT in faulty else told.keys() - faulty.keys()
    return troubles, news | {name: f"✓ DisPinMap, {name}: all is well again." for name in sorted(ended)}


def remembered(troubles: Troubles, name: str, found: Mapping[str, Part]) -> Troubles:
    """`troubles` with `name` marked as told if it is at fault, or without it if it works again."""
    others = {other: trouble for other, trouble in troubles.items() if other != name}
    if name in found and not found[name].ok:
        return {**others, name: replace(troubles[name], told=True)}
    return others


class Alarm:
    """Tells the operator once when a part stays at fault and once when it works again. Retries alerts that failed."""

    def __init__(self, parts: Callable[[], Awaitable[Mapping[str, Part]]], alerts: Alerts, clock: Clock) -> None:
        self._parts = parts
        self._alerts = alerts
        self._clock = clock
        self._troubles: Troubles | None = None

    async def run(self) -> NoReturn:
        """Look every `LOOK_SECONDS`, forever."""
        while True:
            await self.step()
            await self._clock.sleep(LOOK_SECONDS)

    async def step(self) -> None:
        """Look once, and tell the operator what is new."""
        found = await self._look()
        troubles, news = decide(self._troubles, found, self._clock.now())
        self._troubles = troubles
        for name, sentence in news.items():
            if await self._alerts.tell(sentence):
                self._troubles = troubles = remembered(troubles, name, found)
                log.warning("operator_told", part=name, well=name not in troubles)

    async def _look(self) -> Mapping[str, Part]:
        try:
            async with asyncio.timeout(REPORT_SECONDS):
                return await self._parts()
        except Exception as error:
            log.exception("report_failed")
            return no_report(error)
