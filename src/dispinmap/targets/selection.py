"""Which target of a channel a person means, and which one an addition would duplicate (pure)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from dispinmap.errors import UserError
from dispinmap.targets.models import Area, NewTarget, Target, WatchedTarget
from dispinmap.targets.naming import fold, unquoted

NAMED_CHOICES = 5
"""The number of candidates for an ambiguous name that fit into a sentence."""

_REFERENCE = re.compile(r"target:([0-9]{1,18})", re.ASCII)

T = TypeVar("T", Target, NewTarget)


@dataclass(frozen=True, slots=True)
class ListedTarget:
    """A target with its index, counted from 1 in the order of `/list`."""

    index: int
    watched: WatchedTarget


def listed(targets: Sequence[WatchedTarget]) -> tuple[ListedTarget, ...]:
    return tuple(ListedTarget(index, watched) for index, watched in enumerate(targets, start=1))


def select(targets: Sequence[ListedTarget], selector: str) -> WatchedTarget:
    """Find a target by index, name, part of its name, or `reference`. Raises UserError unless exactly one matches."""
    text = unquoted(selector)
    if not targets:
        raise UserError("This channel doesn’t watch anything yet. Start with `/add location`.")
    if referred := _REFERENCE.fullmatch(text):
        return _referred(targets, int(referred[1]))
    number = text.removeprefix("#")
    if number.isdecimal() and 1 <= int(number) <= len(targets):
        return targets[int(number) - 1].watched
    found = _named(targets, text)
    if len(found) == 1:
        return found[0].watched
    if found:
        several = ", ".join(f"{each.index} ({{}})" for each in found[:NAMED_CHOICES])
        names = (each.watched.target.label for each in found[:NAMED_CHOICES])
        more = f" and {len(found) - NAMED_CHOICES} more" if len(found) > NAMED_CHOICES else ""
        raise UserError(
            f"“{{}}” could be any of these: {several}{more}. Use the number of the one you mean.", text, *names
        )
    if number.removeprefix("-").isdecimal():
        count = "one target" if len(targets) == 1 else f"{len(targets)} targets"
        raise UserError(f"There is no target {{}}. This channel watches {count}; see `/list`.", number)
    raise UserError("No target here is called “{}”. See `/list` for names and numbers.", text)


def reference(target: Target) -> str:
    """A selector that keeps its meaning if targets are added or removed before it is used. An index would not."""
    return f"target:{target.id}"


def _referred(targets: Sequence[ListedTarget], target_id: int) -> WatchedTarget:
    for each in targets:
        if each.watched.target.id == target_id:
            return each.watched
    raise UserError("That target has been removed. See `/list` for the others.")


def _named(targets: Sequence[ListedTarget], text: str) -> list[ListedTarget]:
    """Targets with exactly this name; if there are none, those whose name begins with it; else those that contain it.

    A number only matches a whole name: “4” must not match a point such as “45.5,-122.6”.
    """
    wanted = fold(text)
    if not wanted:
        return []
    names = [(each, {fold(each.watched.target.label), fold(each.watched.target.target_name)}) for each in targets]
    whole = [each for each, known in names if wanted in known]
    if whole or wanted.isdecimal():
        return whole
    beginning = [each for each, known in names if any(name.startswith(wanted) for name in known)]
    return beginning or [each for each, known in names if any(wanted in name for name in known)]


def repeated(existing: Sequence[T], new: NewTarget) -> T | None:
    """The target that `new` would duplicate: the same location, or the same point, if possible with the same radius."""
    same_type = [target for target in existing if target.type is new.type]
    if new.area is None:
        return next((target for target in same_type if target.location_id == new.location_id), None)
    same_point = [(target, area) for target in same_type if (area := target.area) and _point(area) == _point(new.area)]
    same_radius = [target for target, area in same_point if area.radius == new.area.radius]
    return next(iter(same_radius or [target for target, _ in same_point]), None)


def resized(existing: Target | NewTarget, new: NewTarget) -> bool:
    """Whether `new` asks for another radius than `existing` has. Without a radius, `new` asks for none."""
    if existing.area is None or new.area is None or new.area.radius_miles is None:
        return False
    return existing.area.radius != new.area.radius


def _point(area: Area) -> str:
    return str(Area(area.latitude, area.longitude))
