"""How far a long step has come, for whoever shows it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import structlog


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` parts of a step; what a part is (pages, revisions, checks) depends on the step."""

    step: str
    done: int
    total: int


Report = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """For callers that show nothing."""


def logged(progress: Progress) -> None:
    """For the bot: a line for each step that is done, and for each revision where one has to look closer."""
    level = logging.INFO if progress.done == progress.total else logging.DEBUG
    structlog.get_logger(__name__).log(
        level, "database_step", step=progress.step, done=progress.done, total=progress.total
    )
