"""A channel's set-up as text and back (pure). Reads our own exports and those of the original bot."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One line of an import: what it will do, or why it cannot."""

    line_number: int
    line: str
    summary: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """A dry run. Applying it carries out the steps without a problem."""

    steps: tuple[PlannedStep, ...]
