"""Writes a channel's set-up as text; the values that describe an import of such text (pure)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dispinmap.targets.kinds import Kinds
from dispinmap.targets.models import Area, Channel, NewTarget, Target, TargetType, decimal

HEADER = "# What this channel watches. /import reads it back, here or in another channel."


@dataclass(frozen=True, slots=True)
class AddTarget:
    """`position` counts the additions in the text from 1. Settings refer to targets by it."""

    position: int
    new: NewTarget


@dataclass(frozen=True, slots=True)
class SetPollRate:
    """Sets a poll rate: `minutes`, or None for the default, of the target at `position`, or None for the channel."""

    minutes: int | None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class SetKinds:
    """Sets kinds: None for the default, of the target at `position`, or None for the channel."""

    kinds: Kinds | None
    position: int | None = None


Action = AddTarget | SetPollRate | SetKinds


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One line of an import: what it will do, or why it cannot."""

    line_number: int
    line: str
    summary: str
    problem: str | None = None
    action: Action | None = None
    """What the step does, with all names looked up; None if it has a problem."""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """A dry run. Applying the plan carries out the steps that have no problem."""

    steps: tuple[PlannedStep, ...]

    @property
    def actions(self) -> tuple[Action, ...]:
        """What applying the plan does, in the order of the text."""
        return tuple(step.action for step in self.steps if step.action is not None)


def export(channel: Channel, targets: Iterable[Target]) -> str:
    """Slash commands, one per line.

    Comments note a location's name and a city's exact point, so that an import needs no look-ups.
    """
    lines = [HEADER, f"/poll_rate minutes:{channel.poll_rate_minutes}", f"/notifications kind:{channel.kinds}"]
    position = 0
    for target in targets:
        if target.type is TargetType.LATLONG and target.area is None:
            lines.append(f"# Left out, because it has no coordinates: {_one_line(target.label)}")
            continue
        position += 1
        lines += _addition(target)
        lines += _own_settings(target, position)
    return "\n".join(lines) + "\n"


def _addition(target: Target) -> Iterator[str]:
    if target.type is TargetType.LATLONG and target.area is not None:
        yield f"/add coordinates {_circle(target.area)}"
    elif target.type is TargetType.CITY:
        yield from _city(target.label, target.area)
    elif target.location_id is not None:
        yield f"# location {target.location_id}: {quoted(target.label)}"
        yield f"/add location name:{target.location_id}"
    else:
        yield f"/add location name:{quoted(target.label)}"


def _city(label: str, area: Area | None) -> Iterator[str]:
    if area is not None:
        yield f"# at {Area(area.latitude, area.longitude)}"
    yield f"/add city name:{quoted(label)}{_radius(area)}"


def _circle(area: Area) -> str:
    return f"latitude:{decimal(area.latitude)} longitude:{decimal(area.longitude)}{_radius(area)}"


def _radius(area: Area | None) -> str:
    return "" if area is None or area.radius_miles is None else f" radius:{decimal(area.radius_miles)}"


def _own_settings(target: Target, position: int) -> Iterator[str]:
    if target.poll_rate_minutes is not None:
        yield f"/poll_rate minutes:{target.poll_rate_minutes} target:{position}"
    if target.kinds is not None:
        yield f"/notifications kind:{target.kinds} target:{position}"


def quoted(text: str) -> str:
    """The text on one line in double quotes, with a backslash before inner quotes and backslashes."""
    escaped = _one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
