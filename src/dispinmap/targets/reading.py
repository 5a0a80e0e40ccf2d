"""Reads the commands of an export, ours or the original bot's (pure)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dispinmap.errors import UserError
from dispinmap.targets.models import KILOMETRES_PER_MILE, Area, NotificationKind, checked_poll_rate
from dispinmap.targets.transfer import SetKind, SetPollRate


@dataclass(frozen=True, slots=True)
class AddLocation:
    """`text` is an id, a link or a name, still to be looked up."""

    text: str


@dataclass(frozen=True, slots=True)
class AddCity:
    """`point` is where the city lay when it was exported; without it the name is still to be looked up."""

    name: str
    radius_miles: float | None = None
    point: Area | None = None


@dataclass(frozen=True, slots=True)
class AddCoordinates:
    area: Area


Request = AddLocation | AddCity | AddCoordinates | SetPollRate | SetKind


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line and what it asks for, or the sentence that says why it cannot be read."""

    number: int
    line: str
    request: Request | None = None
    problem: str | None = None


@dataclass(slots=True)
class _Arguments:
    """Words by place, taken one by one, and words by name, which go on to the next name: `name:Ground Kontrol`."""

    bare: list[str]
    named: dict[str, str]

    def take(self, name: str) -> str | None:
        """The named argument, or else the next bare word."""
        if name in self.named:
            return self.named[name]
        return self.bare.pop(0) if self.bare else None


_KEYS = "name|radius|latitude|longitude|minutes|target|kind"
_WORD = re.compile(
    rf"(?P<empty>{_KEYS}):(?=\s|$)|"
    rf'(?:(?P<key>{_KEYS}):)?(?:"(?P<quoted>(?:\\.|[^"\\])*)"|“(?P<curly>[^”]*)”|(?P<plain>\S+))',
    re.IGNORECASE,
)
# Whatever character the original's prefix was, a mention of the bot, or our own slash.
_PREFIX = re.compile(r"(?:<@[!&]?\d+>|\W)*")
_COMMAND = re.compile(
    r"(?P<command>add[ _]+(?:location|city|coordinates)|poll_rate|notifications)(?!\w)(?P<rest>.*)", re.IGNORECASE
)
_POINT = re.compile(r"#\s*at\s+(?P<point>[-+.\d]+,\s*[-+.\d]+)\s*")
_RADIUS = re.compile(r"(?P<number>[\d.]+)\s*(?P<unit>km|kilometers?|kilometres?|mi|miles?)?", re.IGNORECASE)


def read(text: str) -> tuple[ReadLine, ...]:
    """Every line that is no comment, blank or code fence."""
    return tuple(_lines(text))


def _lines(text: str) -> Iterator[ReadLine]:
    point: Area | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("#"):
            point = _noted_point(line) or point
        elif (command := line.strip("` ")) and not line.startswith("```"):
            yield _line(number, command, point)
            point = None


def _noted_point(comment: str) -> Area | None:
    noted = _POINT.fullmatch(comment)
    try:
        return Area.parse(noted["point"]) if noted else None
    except UserError:
        return None


def _line(number: int, line: str, point: Area | None) -> ReadLine:
    try:
        return ReadLine(number, line, _request(line, point))
    except UserError as error:
        return ReadLine(number, line, problem=str(error))


def _request(line: str, point: Area | None) -> Request:
    found = _COMMAND.match(_PREFIX.sub("", line, count=1))
    if found is None:
        raise UserError(
            "This is no command of a set-up: only /add location, /add city, /add coordinates, /poll_rate and "
            "/notifications can be imported."
        )
    command = re.sub(r"[ _]+", "_", found["command"].lower())
    arguments = _arguments(found["rest"])
    return _add_city(arguments, point) if command == "add_city" else _READERS[command](arguments)


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
        return re.sub(r"\\(.)", r"\1", word["quoted"]).strip()
    return (word["curly"] or word["plain"] or "").strip().strip('"')


def _add_location(arguments: _Arguments) -> AddLocation:
    return AddLocation(_name(arguments, "Name the location: /add location name:874."))


def _add_city(arguments: _Arguments, point: Area | None) -> AddCity:
    radius = arguments.named.get("radius")
    if radius is None and "name" not in arguments.named:
        radius = _trailing_radius(arguments.bare)
    name = _name(arguments, 'Name the city: /add city name:"Portland, OR".')
    return AddCity(name, None if radius is None else _miles(radius), point)


def _trailing_radius(words: list[str]) -> str | None:
    """Take `25`, `25mi` or `40 km` from the end of words that begin with a name."""
    for count in (2, 1):
        text = " ".join(words[-count:])
        if len(words) > count and _RADIUS.fullmatch(text):
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
    return AddCoordinates(Area(latitude, longitude, _miles(radius) if radius else None))


def _poll_rate(arguments: _Arguments) -> SetPollRate:
    asked = arguments.take("minutes") or ""
    if asked.lower() == "default":
        return SetPollRate(None, _position(arguments))
    if not _is_integer(asked):
        raise UserError("Write the poll rate in whole minutes or as default: /poll_rate minutes:30.")
    return SetPollRate(checked_poll_rate(int(asked)), _position(arguments))


def _notifications(arguments: _Arguments) -> SetKind:
    asked = (arguments.take("kind") or "").lower()
    if asked == "default":
        return SetKind(None, _position(arguments))
    if asked not in set(NotificationKind):
        raise UserError(
            f"“{asked}” is no kind of notifications: write machines, comments, all or default, such as "
            "/notifications kind:all."
        )
    return SetKind(NotificationKind(asked), _position(arguments))


_READERS: dict[str, Callable[[_Arguments], Request]] = {
    "add_location": _add_location,
    "add_coordinates": _add_coordinates,
    "poll_rate": _poll_rate,
    "notifications": _notifications,
}


def _name(arguments: _Arguments, cure: str) -> str:
    name = arguments.named.get("name") or " ".join(arguments.bare)
    if not name:
        raise UserError(cure)
    return name


def _position(arguments: _Arguments) -> int | None:
    asked = arguments.take("target")
    if asked is None:
        return None
    if not _is_integer(asked) or int(asked) < 1:
        raise UserError(
            f"“{asked}” is no number of a target: an import counts the targets that the text adds, from 1 on."
        )
    return int(asked)


def _is_integer(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,9}", text) is not None


def _number(text: str | None, cure: str) -> float:
    try:
        return float((text or "").rstrip(","))
    except ValueError:
        raise UserError(cure) from None


def _miles(text: str) -> float:
    found = _RADIUS.fullmatch(text.strip())
    if found is None:
        raise UserError(f"“{text}” is no radius: write miles such as 25, or kilometres such as 40 km.")
    miles = _number(found["number"], f"“{text}” is no radius: write miles such as 25, or kilometres such as 40 km.")
    return miles / KILOMETRES_PER_MILE if (found["unit"] or "").lower().startswith("k") else miles
