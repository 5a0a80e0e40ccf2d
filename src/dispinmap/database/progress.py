"""How far a long step has come, for whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` parts of a step; what a part is (pages, revisions, checks) depends on the step."""

    step: str
    done: int
    total: int


Report = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """For callers that show nothing."""
