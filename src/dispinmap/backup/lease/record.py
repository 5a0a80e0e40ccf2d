"""The content of a lease, as JSON."""

import json
import math
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import TypeVar

from dispinmap.backup.errors import BackupError
from dispinmap.backup.models import LeaseRecord

T = TypeVar("T")


def taken(before: LeaseRecord | None, holder: str, seconds: float, now: datetime) -> LeaseRecord:
    """The record of a new holder. It keeps the previous writer and heartbeat until it has written its own."""
    return LeaseRecord(
        holder=holder,
        host=socket.gethostname(),
        renewed_at=now,
        seconds=seconds,
        released=False,
        writer=before.writer if before else None,
        heartbeat_at=before.heartbeat_at if before else None,
        writer_renewed_at=before.written_until if before and before.writer else None,
    )


def renewed(
    record: LeaseRecord, now: datetime, writer: str | None, heartbeat_at: datetime | None, *, released: bool
) -> LeaseRecord:
    """The record of a renewal; None keeps the old value."""
    return replace(
        record,
        renewed_at=now,
        released=released,
        writer=writer or record.writer,
        heartbeat_at=heartbeat_at or record.heartbeat_at,
    )


def encode(record: LeaseRecord, nonce: str = "") -> bytes:
    """With different `nonce`s two writes have different versions, even if a version is a hash of the content."""
    fields = {name: _written(value) for name, value in asdict(record).items()}
    return json.dumps(fields | {"nonce": nonce}, indent=1).encode()


def decode(data: bytes, name: str) -> LeaseRecord:
    """The record in the object called `name`; unknown keys are ignored.

    Raises BackupError if it is not a lease: if we cannot read it, another bot might hold it.
    """
    try:
        record = _read(json.loads(data))
    except (ValueError, KeyError, TypeError, RecursionError):
        record = None
    if record is None or not _makes_sense(record):
        raise BackupError(
            f"{name} is not a lease as this version writes them: make sure that no other bot uses this replica, then "
            "delete it and start again."
        )
    return record


def _written(value: object) -> object:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _read(fields: Mapping[str, object]) -> LeaseRecord:
    """Raises KeyError for missing fields, TypeError and ValueError for malformed ones."""
    return LeaseRecord(
        holder=_text(fields["holder"]),
        host=_text(fields["host"]),
        renewed_at=_time(fields["renewed_at"]),
        seconds=_number(fields["seconds"]),
        released=_flag(fields["released"]),
        writer=_optional(fields.get("writer"), _text),
        heartbeat_at=_optional(fields.get("heartbeat_at"), _time),
        writer_renewed_at=_optional(fields.get("writer_renewed_at"), _time),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _time(value: object) -> datetime:
    return datetime.fromisoformat(_text(value))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _optional(value: object, read: Callable[[object], T]) -> T | None:
    return None if value is None else read(value)


def _makes_sense(record: LeaseRecord) -> bool:
    times = (record.renewed_at, record.heartbeat_at, record.writer_renewed_at)
    aware = all(time is None or time.tzinfo is not None for time in times)
    return aware and bool(record.holder) and record.seconds > 0 and math.isfinite(record.seconds)
