"""Parses Pinball Map's JSON into our values (pure). Values of the wrong type count as missing."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from dispinmap.pinballmap.errors import Malformed
from dispinmap.pinballmap.models import Location, LocationHint, Nothing, Submission

T = TypeVar("T")

# The texts that come with HTTP 200 if there is nothing; see app/controllers/api/v1 in pinballmap/pbm.
NOTHING_TEXTS = frozenset(
    {
        "failed to find location",
        "no user submissions",
        "no user submissions for this location",
        "no user submissions found within radius",
    }
)
MAX_ID = 2**63 - 1
_SHOWN_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be read: its id if it has one, and the names of the bad fields."""

    id: int | None
    fields: tuple[str, ...]
    fingerprint: int
    """Equal for equal rows, so that each is reported once."""


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """The rows of an answer that could be read, and those that could not."""

    rows: tuple[T, ...]
    rejected: tuple[Rejected, ...] = ()


class _BadRow(Exception):
    """A row without required fields. `args` are their names."""


def parse_submissions(body: object) -> Parsed[Submission] | Nothing:
    """Newest first, each id once. Raises Malformed."""
    answer = _object(body)
    if isinstance(answer, Nothing):
        return answer
    rows = _list(answer, "user_submissions")
    if not rows:
        return Nothing("No user submissions.")
    parsed = _parsed(rows, _submission)
    distinct = {submission.id: submission for submission in parsed.rows}.values()
    newest_first = sorted(distinct, key=lambda submission: (submission.created_at, submission.id), reverse=True)
    return Parsed(tuple(newest_first), parsed.rejected)


def parse_locations(body: object) -> Parsed[Location] | Nothing:
    """The locations that a search found, in the server's order. Raises Malformed."""
    answer = _object(body)
    return answer if isinstance(answer, Nothing) else _parsed(_list(answer, "locations"), _location)


def parse_location(body: object) -> Location | Nothing:
    """Raises Malformed."""
    answer = _object(body)
    if isinstance(answer, Nothing):
        return answer
    try:
        return _location(answer)
    except _BadRow as error:
        raise Malformed(f"Pinball Map's answer is not a location ({error}): update DisPinMap.") from None


def parse_hints(body: object) -> Parsed[LocationHint] | Nothing:
    """The suggestions of autocomplete, which answers with a bare list. Raises Malformed."""
    if isinstance(body, list):
        return _parsed(body, _hint)
    answer = _object(body)
    if isinstance(answer, Nothing):
        return answer
    raise Malformed("Pinball Map's answer is not a list of suggestions: update DisPinMap.")


def _object(body: object) -> Mapping[str, Any] | Nothing:
    if not isinstance(body, dict):
        raise Malformed(
            f"Pinball Map's answer is a {type(body).__name__} instead of an object: check PINBALLMAP_API_BASE."
        )
    if "errors" not in body:
        return body
    text = _text(body["errors"]) or "no reason given"
    if text.rstrip(".").lower() in NOTHING_TEXTS:
        return Nothing(text)
    shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
    raise Malformed(f"Pinball Map answers with an error that this bot does not know, “{shown}”: update DisPinMap.")


def _list(answer: Mapping[str, Any], key: str) -> list[Any]:
    rows = answer.get(key)
    if not isinstance(rows, list):
        raise Malformed(f"Pinball Map's answer has no list “{key}”: check PINBALLMAP_API_BASE, or update DisPinMap.")
    return rows


def _parsed(rows: Sequence[Any], read: Callable[[Mapping[str, Any]], T]) -> Parsed[T]:
    good: list[T] = []
    rejected: list[Rejected] = []
    for row in rows:
        try:
            good.append(read(row if isinstance(row, dict) else {}))
        except _BadRow as error:
            identity = _integer(row.get("id")) if isinstance(row, dict) else None
            rejected.append(Rejected(identity, error.args, hash(repr(row))))
    # A single bad row can happen. If all of several rows are bad, the API has changed, and that must not go unnoticed.
    if len(rejected) > 1 and not good:
        raise Malformed(f"None of Pinball Map's {len(rejected)} rows can be read: update DisPinMap.")
    return Parsed(tuple(good), tuple(rejected))


def _submission(row: Mapping[str, Any]) -> Submission:
    latitude, longitude = _point(row)
    number, kind, created_at = _integer(row.get("id")), _text(row.get("submission_type")), _time(row.get("created_at"))
    if number is None or kind is None or created_at is None:
        raise _BadRow(*_missing(id=number, submission_type=kind, created_at=created_at))
    return Submission(
        id=number,
        type=kind,
        created_at=created_at,
        location_id=_integer(row.get("location_id")),
        location_name=_text(row.get("location_name")),
        city_name=_text(row.get("city_name")),
        latitude=latitude,
        longitude=longitude,
        machine_id=_integer(row.get("machine_id")),
        machine_name=_text(row.get("machine_name")),
        user_name=_text(row.get("user_name")),
        comment=_text(row.get("comment")),
        sentence=_text(row.get("submission")),
        high_score=_count(row.get("high_score")),
    )


def _location(row: Mapping[str, Any]) -> Location:
    latitude, longitude = _point(row)
    number, name = _integer(row.get("id")), _text(row.get("name"))
    if number is None or name is None:
        raise _BadRow(*_missing(id=number, name=name))
    return Location(
        id=number,
        name=name,
        city=_text(row.get("city")),
        state=_text(row.get("state")),
        country=_text(row.get("country")),
        latitude=latitude,
        longitude=longitude,
        machine_count=_count(row.get("num_machines", row.get("machine_count"))),
    )


def _hint(row: Mapping[str, Any]) -> LocationHint:
    number, name = _integer(row.get("id")), _text(row.get("value"))
    if number is None or name is None:
        raise _BadRow(*_missing(id=number, value=name))
    return LocationHint(id=number, name=name, label=_text(row.get("label")) or name)


def _missing(**fields: object) -> list[str]:
    return [name for name, value in fields.items() if value is None]


def _integer(value: object) -> int | None:
    """An id from 1 to the largest that a database can hold. A string of digits counts too."""
    return _count(value) or None


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(MAX_ID)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_ID else None


def _text(value: object) -> str | None:
    """Text that any database can hold: without lone surrogates and NUL, which JSON allows."""
    if not isinstance(value, str):
        return None
    return value.encode(errors="replace").decode().replace("\0", "").strip() or None


def _time(value: object) -> datetime | None:
    """A time in ISO 8601 with an offset, converted to UTC."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return at.astimezone(UTC) if at is not None and at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _point(row: Mapping[str, Any]) -> tuple[float, float] | tuple[None, None]:
    """Both coordinates in degrees, or neither."""
    latitude, longitude = _degrees(row.get("lat"), 90), _degrees(row.get("lon"), 180)
    return (None, None) if latitude is None or longitude is None else (latitude, longitude)


def _degrees(value: object, limit: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        degrees = float(value)
    except (ValueError, OverflowError):
        return None
    return degrees if math.isfinite(degrees) and abs(degrees) <= limit else None
