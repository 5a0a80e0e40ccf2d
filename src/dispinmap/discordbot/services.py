"""Everything that the commands call. The application builds it, and so do tests."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from dispinmap.clock import Clock
from dispinmap.health import HealthReport
from dispinmap.targets.service import TargetService


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What `/check` found: the number of notifications that became due, and why Pinball Map could not be asked."""

    new: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a command may use."""

    targets: TargetService
    check: Callable[[int], Awaitable[CheckResult]]
    """Asks Pinball Map now, and makes everything due that waits for this channel."""
    health: Callable[[], Awaitable[HealthReport]]
    feed_read_at: Callable[[], Awaitable[datetime | None]]
    """When Pinball Map's feed was last read without a gap; None before the first time."""
    clock: Clock
    failed: Callable[[], object] = lambda: None
    """Called once for each unexpected failure of a command, button or suggestion."""
    manage_channels_required: bool = True
    command_prefix: str = ""
