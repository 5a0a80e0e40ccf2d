"""Plans an import: looks up the names in its lines, and writes nothing."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dispinmap.errors import DisPinMapError, UserError
from dispinmap.geocoding.models import GeocodingError, Place
from dispinmap.pinballmap.errors import PinballMapError
from dispinmap.pinballmap.models import Location
from dispinmap.targets.import_text import AddCity, AddCoordinates, AddLocation, ReadLine, Request, read
from dispinmap.targets.kinds import EVERY_KIND, Kinds
from dispinmap.targets.lookup import Lookup
from dispinmap.targets.models import NewTarget, Target, decimal
from dispinmap.targets.naming import fold
from dispinmap.targets.selection import NAMED_CHOICES, repeated, resized
from dispinmap.targets.transfer import AddTarget, ImportPlan, PlannedStep, SetKinds, SetPollRate

MAX_LOOKUPS = 100
"""At 30 requests per minute, they take much less than the 15 minutes that Discord waits for an answer."""

T = TypeVar("T")
Addition = AddLocation | AddCity | AddCoordinates


async def plan(lookup: Lookup, text: str, existing: Sequence[Target]) -> ImportPlan:
    """Raises UserError if the text has no command at all. A line that cannot be applied gets a step with a problem."""
    lines = read(text)
    if not lines:
        raise UserError("There’s no command in this text. Paste what /export gave you.")
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
    """By line number, in the order of the text: the target to add, or why it cannot be added."""
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
        summary = f"Already watched: {_described(new)}"
    return PlannedStep(line.number, line.line, summary, action=AddTarget(position, new))


def _setting(line: ReadLine, request: SetPollRate | SetKinds, labels: Sequence[str | None]) -> PlannedStep:
    position = request.position
    label = labels[position - 1] if position is not None and position <= len(labels) else None
    if position is None or label is not None:
        scope = "in this channel" if label is None else f"for “{label}”"
        return PlannedStep(line.number, line.line, f"{_effect(request)} {scope}", action=request)
    if position > len(labels):
        problem = f"There is no target {position} in this text, which adds {len(labels)}. Correct the number."
    else:
        problem = f"Target {position} of this text can’t be added. Correct its line first."
    return PlannedStep(line.number, line.line, f"{_effect(request)} for target {position}", problem)


def _effect(request: SetPollRate | SetKinds) -> str:
    if isinstance(request, SetKinds):
        return f"Post {'the default kinds' if request.kinds is None else _words(request.kinds)}"
    if request.minutes is None:
        return "Post at the default rate"
    return (
        "Post at most once a minute" if request.minutes == 1 else f"Post at most once every {request.minutes} minutes"
    )


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
    """Looks up each distinct name once, up to `MAX_LOOKUPS` in all. After a service fails, it is not asked again."""

    lookup: Lookup
    _locations: dict[str, tuple[Location, ...]] = field(default_factory=dict)
    _places: dict[str, tuple[Place, ...]] = field(default_factory=dict)
    _failures: dict[str, DisPinMapError] = field(default_factory=dict)
    _lookups: int = 0

    async def resolve(self, request: Addition) -> NewTarget:
        """Raises UserError, PinballMapError or GeocodingError unless the request names exactly one target."""
        match request:
            case AddCoordinates(area):
                return NewTarget.point(area.latitude, area.longitude, area.radius_miles)
            case AddCity(name, radius, point) if point is not None:
                return NewTarget.city(Place(name, point.latitude, point.longitude), radius)
            case AddCity(name, radius):
                return NewTarget.city(await self._place(name), radius)
            case AddLocation(text, name) if name is not None:
                return NewTarget.location(Location(int(text), name))
            case AddLocation(text):
                return NewTarget.location(await self._location(text))

    async def _location(self, text: str) -> Location:
        key = fold(text)
        if key not in self._locations:
            self._locations[key] = await self._ask("Pinball Map", self.lookup.locations, text)
        found = self._locations[key]
        if len(found) == 1:
            return found[0]
        if not found:
            raise UserError("I couldn’t find “{}” on Pinball Map. Look it up there and import it by its id.", text)
        names = [f"{each.name}, {each.city or '?'} ({each.id})" for each in found[:NAMED_CHOICES]]
        several = "; ".join(["{}"] * len(names))
        raise UserError(
            f"“{{}}” could be several locations: {several}. Write the id instead of the name.", text, *names
        )

    async def _ask(self, service: str, ask: Callable[[str], Awaitable[T]], text: str) -> T:
        if service in self._failures:
            raise self._failures[service]
        if self._lookups >= MAX_LOOKUPS:
            raise UserError(f"I only look up {MAX_LOOKUPS} names per import. Import this line separately.")
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
            raise UserError(
                "I couldn’t find a city called “{}”. Check the spelling, or import it by its coordinates.", name
            )
        names = [place.label for place in found[:NAMED_CHOICES]]
        several = "; ".join(["{}"] * len(names))
        raise UserError(
            f"“{{}}” could be several cities: {several}. Write it with its region and country.", name, *names
        )
