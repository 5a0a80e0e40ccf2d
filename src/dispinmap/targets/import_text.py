"""Reads the text of an import: the commands that this bot or the original one exported (pure)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

from dispinmap.errors import UserError
from dispinmap.targets.models import Area
from dispinmap.targets.transfer import SetKinds, SetPollRate
from dispinmap.targets.values import is_radius, parse_kinds, parse_minutes, parse_radius


@dataclass(frozen=True, slots=True)
class AddLocation:
    """`text` is an id, a link or a name. It must be looked up unless the export noted its `name`."""

    text: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AddCity:
    """`point` is the city's location as the export noted it. Without it, the name must be looked up."""

    name: str
    radius_miles: float | None = None
    point: Area | None = None


@dataclass(frozen=True, slots=True)
class AddCoordinates:
    area: Area


Noted = AddLocation | Area
Request = AddLocation | AddCity | AddCoordinates | SetPollRate | SetKinds


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line and its request, or the sentence that says why it cannot be read."""

    number: int
    line: str
    request: Request | None = None
    problem: str | None = None


@dataclass(slots=True)
class _Arguments:
    """Positional words, taken one by one, and named values, which end at the next name: `name:Ground Kontrol`."""

    bare: list[str]
    named: dict[str, str]

    def take(self, name: str) -> str | None:
        """The named value, or else the next positional word."""
        if name in self.named:
            return self.named[name]
        return self.bare.pop(0) if self.bare else None


_KEYS = "name|radius|latitude|longitude|minutes|target|kind"
_WORD = re.compile(
    rf"(?P<empty>{_KEYS}):(?=\s|$)|"
    rf'(?:(?P<key>{_KEYS}):)?(?:"(?P<quoted>(?:\\.|[^"\\])*)"|“(?P<curly>[^”]*)”|(?P<plain>\S+))',
    re.IGNORECASE,
)
# Any prefix that the original bot had, a mention of the bot, or our own slash.
_PREFIX = re.compile(r"(?:<@[!&]?\d+>|\W)*")
_COMMAND = re.compile(
    r"(?P<command>add[ _]+(?:location|city|coordinates)|poll_rate|notifications)(?!\w)(?P<rest>.*)", re.IGNORECASE
)
_LOCATION = re.compile(r'#\s*location\s+(?P<id>[0-9]{1,9}):\s*"(?P<name>(?:\\.|[^"\\])*)"\s*', re.IGNORECASE)
_POINT = re.compile(r"#\s*at\s+(?P<point>[-+.\d]+,\s*[-+.\d]+)\s*")


def read(text: str) -> tuple[ReadLine, ...]:
    """All lines except comments, blank lines and code fences."""
    return tuple(_lines(text))


def _lines(text: str) -> Iterator[ReadLine]:
    noted: Noted | None = None
    for number, raw in enumerate(text.replace("\0", "").splitlines(), start=1):
        line = raw.strip()
        if line.startswith("#"):
            noted = _noted(line) or noted
        elif (command := line.strip("` ")) and not line.startswith("```"):
            yield _line(number, command, noted)
            noted = None


def _noted(comment: str) -> Noted | None:
    """What an export's comment says about the line below it."""
    if location := _LOCATION.fullmatch(comment):
        return AddLocation(location["id"], _unescaped(location["name"]))
    point = _POINT.fullmatch(comment)
    try:
        return Area.parse(point["point"]) if point else None
    except UserError:
        return None


def _line(number: int, line: str, noted: Noted | None) -> ReadLine:
    try:
        return ReadLine(number, line, _known(_request(line), noted))
    except UserError as error:
        return ReadLine(number, line, problem=str(error))


def _known(request: Request, noted: Noted | None) -> Request:
    """The request, completed with the export's note so that it needs no look-up."""
    match request, noted:
        case AddLocation(text), AddLocation(id_, name) if text == id_ and name:
            return AddLocation(text, name)
        case AddCity(), Area():
            return replace(request, point=noted)
        case _:
            return request


def _request(line: str) -> Request:
    found = _COMMAND.match(_PREFIX.sub("", line, count=1))
    if found is None:
        raise UserError(
            "I can’t import this line. I can import /add location, /add city, /add coordinates, /poll_rate and "
            "/notifications."
        )
    command = re.sub(r"[ _]+", "_", found["command"].lower())
    return _READERS[command](_arguments(found["rest"]))


def _arguments(text: str) -> _Arguments:
    arguments = _Arguments([], {})
    current: str | None = None
    for word in _WORD.finditer(text):
        key = word["key"] or word["empty"]
        value = _value(word)
        if key:
            current = key.lower()
            arguments.named[current] = value
        elif current:
            arguments.named[current] = f"{arguments.named[current]} {value}".strip()
        else:
            arguments.bare.append(value)
    return arguments


def _value(word: re.Match[str]) -> str:
    if word["quoted"] is not None:
        return _unescaped(word["quoted"])
    return (word["curly"] or word["plain"] or "").strip().strip('"')


def _unescaped(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted).strip()


def _add_location(arguments: _Arguments) -> AddLocation:
    return AddLocation(_name(arguments, "Name the location: /add location name:874."))


def _add_city(arguments: _Arguments) -> AddCity:
    radius = arguments.named.get("radius")
    if radius is None and "name" not in arguments.named:
        radius = _trailing_radius(arguments.bare)
    name = _name(arguments, 'Name the city: /add city name:"Portland, OR".')
    return AddCity(name, None if radius is None else parse_radius(radius))


def _trailing_radius(words: list[str]) -> str | None:
    """Remove `25`, `25mi` or `40 km` from the end of the words, which must begin with a name."""
    for count in (2, 1):
        text = " ".join(words[-count:])
        if len(words) > count and is_radius(text):
            del words[-count:]
            return text
    return None


def _add_coordinates(arguments: _Arguments) -> AddCoordinates:
    latitude, longitude = (
        _number(
            arguments.take(name), f"Write the {name} as a number: /add coordinates latitude:45.52 longitude:-122.68."
        )
        for name in ("latitude", "longitude")
    )
    radius = arguments.named.get("radius") or " ".join(arguments.bare)
    return AddCoordinates(Area(latitude, longitude, parse_radius(radius) if radius else None))


def _poll_rate(arguments: _Arguments) -> SetPollRate:
    return SetPollRate(parse_minutes(arguments.take("minutes") or ""), _position(arguments))


def _notifications(arguments: _Arguments) -> SetKinds:
    return SetKinds(parse_kinds(_take_kinds(arguments)), _position(arguments))


def _take_kinds(arguments: _Arguments) -> str:
    """The named value, or else all positional words before a target's number."""
    if "kind" in arguments.named:
        return arguments.named["kind"]
    words = list(takewhile(lambda word: not _is_integer(word), arguments.bare))
    del arguments.bare[: len(words)]
    return " ".join(words)


_READERS: dict[str, Callable[[_Arguments], Request]] = {
    "add_location": _add_location,
    "add_city": _add_city,
    "add_coordinates": _add_coordinates,
    "poll_rate": _poll_rate,
    "notifications": _notifications,
}


def _name(arguments: _Arguments, advice: str) -> str:
    name = arguments.named.get("name") or " ".join(arguments.bare)
    if not name:
        raise UserError(advice)
    return name


def _position(arguments: _Arguments) -> int | None:
    asked = arguments.take("target")
    if asked is None:
        return None
    if not _is_integer(asked) or int(asked) < 1:
        raise UserError("“{}” isn’t a target number. Count the targets that the text adds, starting at 1.", asked)
    return int(asked)


def _is_integer(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,9}", text) is not None


def _number(text: str | None, advice: str) -> float:
    try:
        return float((text or "").rstrip(","))
    except ValueError:
        raise UserError(advice) from None
