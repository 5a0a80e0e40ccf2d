"""What the commands call. The application builds it; tests build it from the same parts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from dispinmap.clock import Clock
from dispinmap.health import HealthReport
from dispinmap.targets.service import TargetService


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What `/check` found: how many notifications became due, or why Pinball Map could not be asked."""

    new: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a command may use."""

    targets: TargetService
    check: Callable[[int], Awaitable[CheckResult]]
    """Asks Pinball Map now and makes everything that waits for this channel due."""
    health: Callable[[], Awaitable[HealthReport]]
    feed_read_at: Callable[[], Awaitable[datetime | None]]
    """When Pinball Map's feed was last read without a gap; None before the first time."""
    clock: Clock
    failed: Callable[[], object] = lambda: None
    """Told once for every command, button or suggestion that failed for a reason nobody foresaw."""
    manage_channels_required: bool = True
    command_prefix: str = ""
