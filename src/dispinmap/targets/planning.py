"""What an import would do: looks up what its lines name, and writes nothing."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dispinmap.errors import DisPinMapError, UserError
from dispinmap.geocoding.models import GeocodingError, Place
from dispinmap.pinballmap.errors import PinballMapError
from dispinmap.pinballmap.models import Location
from dispinmap.targets.drafts import city_target, location_target, point_target
from dispinmap.targets.kinds import EVERY_KIND, Kinds
from dispinmap.targets.lookup import Lookup
from dispinmap.targets.models import NewTarget, Target, decimal
from dispinmap.targets.naming import fold
from dispinmap.targets.reading import AddCity, AddCoordinates, AddLocation, ReadLine, Request, read
from dispinmap.targets.selection import NAMED_CHOICES, repeated, resized
from dispinmap.targets.transfer import AddTarget, ImportPlan, PlannedStep, SetKinds, SetPollRate

MAX_LOOKUPS = 100
"""At 30 requests a minute done well within the 15 minutes that Discord waits for an answer."""

T = TypeVar("T")
Addition = AddLocation | AddCity | AddCoordinates


async def plan(lookup: Lookup, text: str, existing: Sequence[Target]) -> ImportPlan:
    """Raises UserError for a text without any command; whatever is wrong with a line is that step's problem."""
    lines = read(text)
    if not lines:
        raise UserError("There is no command in this text: paste what /export gave you.")
    added = await _additions(_Resolver(lookup), lines)
    labels = [None if isinstance(new, str) else new.label for new in added.values()]
    positions = {number: position for position, number in enumerate(added, start=1)}
    steps = []
    for line in lines:
        if line.request is None:
            steps.append(PlannedStep(line.number, line.line, line.line, line.problem))
        elif isinstance(line.request, SetPollRate | SetKinds):
            steps.append(_setting(line, line.request, labels))
        else:
            steps.append(_addition(line, positions[line.number], added[line.number], existing))
    return ImportPlan(tuple(steps))


async def _additions(resolver: "_Resolver", lines: Sequence[ReadLine]) -> dict[int, NewTarget | str]:
    """By line number, in the order of the text: the target to add, or why there is none."""
    added: dict[int, NewTarget | str] = {}
    for line in lines:
        if isinstance(line.request, AddLocation | AddCity | AddCoordinates):
            try:
                added[line.number] = await resolver.resolve(line.request)
            except DisPinMapError as error:
                added[line.number] = str(error)
    return added


def _addition(line: ReadLine, position: int, new: NewTarget | str, existing: Sequence[Target]) -> PlannedStep:
    if isinstance(new, str):
        return PlannedStep(line.number, line.line, f"Watch {_asked(line.request)}", new)
    there = repeated(existing, new)
    if there is None:
        summary = f"Watch {_described(new)}"
    elif resized(there, new):
        summary = f"Change the radius: {_described(new)}"
    else:
        summary = f"Is watched already: {_described(new)}"
    return PlannedStep(line.number, line.line, summary, action=AddTarget(position, new))


def _setting(line: ReadLine, request: SetPollRate | SetKinds, labels: Sequence[str | None]) -> PlannedStep:
    position = request.position
    label = labels[position - 1] if position is not None and position <= len(labels) else None
    if position is None or label is not None:
        whose = "this channel" if label is None else f"“{label}”"
        return PlannedStep(line.number, line.line, _effect(request, whose), action=request)
    if position > len(labels):
        problem = f"There is no target {position} in this text, which adds {len(labels)}: correct the number."
    else:
        problem = f"Target {position} of this text cannot be added: correct its line first."
    return PlannedStep(line.number, line.line, _effect(request, f"target {position}"), problem)


def _effect(request: SetPollRate | SetKinds, whose: str) -> str:
    if isinstance(request, SetKinds):
        wanted = "its default kinds" if request.kinds is None else _words(request.kinds)
        return f"Notify of {wanted}: {whose}"
    if request.minutes is None:
        return f"Poll at the default rate: {whose}"
    often = "every minute" if request.minutes == 1 else f"every {request.minutes} minutes"
    return f"Poll {often}: {whose}"


def _words(kinds: Kinds) -> str:
    if kinds == EVERY_KIND:
        return "every kind of change"
    *others, last = kinds.in_order
    return f"{', '.join(others)} and {last}" if others else last


def _described(new: NewTarget) -> str:
    if new.area is None:
        return new.label
    point = f"{decimal(new.area.latitude)}, {decimal(new.area.longitude)}"
    return f"{decimal(new.area.radius)} miles around {new.display_name or point}"


def _asked(request: Request | None) -> str:
    if isinstance(request, AddLocation):
        return f"“{request.text}”"
    return f"“{request.name}”" if isinstance(request, AddCity) else "a point"


@dataclass(slots=True)
class _Resolver:
    """Looks up each distinct name once, `MAX_LOOKUPS` in all, and asks a service no more once it has failed."""

    lookup: Lookup
    _locations: dict[str, tuple[Location, ...]] = field(default_factory=dict)
    _places: dict[str, tuple[Place, ...]] = field(default_factory=dict)
    _failures: dict[str, DisPinMapError] = field(default_factory=dict)
    _lookups: int = 0

    async def resolve(self, request: Addition) -> NewTarget:
        """Raises UserError, PinballMapError or GeocodingError where the request names no one target."""
        match request:
            case AddCoordinates(area):
                return point_target(area.latitude, area.longitude, area.radius_miles)
            case AddCity(name, radius, point) if point is not None:
                return city_target(Place(name, point.latitude, point.longitude), radius)
            case AddCity(name, radius):
                return city_target(await self._place(name), radius)
            case AddLocation(text, name) if name is not None:
                return location_target(Location(int(text), name))
            case AddLocation(text):
                return location_target(await self._location(text))

    async def _location(self, text: str) -> Location:
        key = fold(text)
        if key not in self._locations:
            self._locations[key] = await self._ask("Pinball Map", self.lookup.locations, text)
        found = self._locations[key]
        if len(found) == 1:
            return found[0]
        if not found:
            raise UserError("Pinball Map knows no location “{}”: look it up there and import it by its id.", text)
        names = [f"{each.name}, {each.city or '?'} ({each.id})" for each in found[:NAMED_CHOICES]]
        several = "; ".join(["{}"] * len(names))
        raise UserError(
            f"“{{}}” could be several locations: {several}. Write the id instead of the name.", text, *names
        )

    async def _ask(self, service: str, ask: Callable[[str], Awaitable[T]], text: str) -> T:
        if service in self._failures:
            raise self._failures[service]
        if self._lookups >= MAX_LOOKUPS:
            raise UserError(f"Only {MAX_LOOKUPS} names of a text are looked up: import this line in another text.")
        self._lookups += 1
        try:
            return await ask(text)
        except (PinballMapError, GeocodingError) as error:
            self._failures[service] = error
            raise

    async def _place(self, name: str) -> Place:
        key = fold(name)
        if key not in self._places:
            self._places[key] = await self._ask("the geocoder", self.lookup.places, name)
        found = self._places[key]
        if len(found) == 1:
            return found[0]
        if not found:
            raise UserError("No city is called “{}”: check the spelling, or import it by its coordinates.", name)
        names = [place.label for place in found[:NAMED_CHOICES]]
        several = "; ".join(["{}"] * len(names))
        raise UserError(
            f"“{{}}” could be several cities: {several}. Write it with its region and country.", name, *names
        )
