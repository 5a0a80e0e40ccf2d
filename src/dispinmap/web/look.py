"""The bot's state for the web pages, while it runs, starts, or fails to report."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from dispinmap.health import REPORT_SECONDS, HealthReport, Part, Starting, judge, no_report

log = structlog.get_logger(__name__)

GetReport = Callable[[], Awaitable[HealthReport | Starting]]

START = "start"
"""The only part that is shown while the bot starts."""


@dataclass(frozen=True, slots=True)
class Look:
    """The bot's state. Without a report, `parts` only says why there is none."""

    report: HealthReport | None
    parts: Mapping[str, Part]

    @property
    def ready(self) -> bool:
        """Whether every part does its work."""
        return all(part.ok for part in self.parts.values())

    @property
    def starting(self) -> bool:
        return START in self.parts


async def look(report: GetReport) -> Look:
    """Ask for a report and judge it. If that fails, log it, and return a look that says so."""
    try:
        async with asyncio.timeout(REPORT_SECONDS):
            found = await report()
    except Exception as error:
        log.exception("report_failed")
        return Look(None, no_report(error))
    if isinstance(found, Starting):
        return Look(None, {START: Part(False, found.sentence)})
    return Look(found, judge(found))
