"""The progress of long steps, for the command line and the log."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import structlog


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` units of a step; the unit (pages, revisions, checks) depends on the step."""

    step: str
    done: int
    total: int


OnProgress = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """For callers that show nothing."""


def logged(progress: Progress) -> None:
    """For the bot: log a step when it is done, and its progress before that at DEBUG."""
    level = logging.INFO if progress.done == progress.total else logging.DEBUG
    structlog.get_logger(__name__).log(
        level, "database_step", step=progress.step, done=progress.done, total=progress.total
    )
