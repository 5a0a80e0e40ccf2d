"""What stands in a lease, as JSON."""

import json
import math
import socket
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from dispinmap.backup.errors import BackupError
from dispinmap.backup.models import LeaseRecord

_RECORD = TypeAdapter(LeaseRecord)


def taken(before: LeaseRecord | None, holder: str, seconds: float, now: datetime) -> LeaseRecord:
    """What a new holder writes: the writer and heartbeat before it stand until it has written some of its own."""
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
    """What the holder writes again; None leaves a field as it is."""
    return replace(
        record,
        renewed_at=now,
        released=released,
        writer=writer or record.writer,
        heartbeat_at=heartbeat_at or record.heartbeat_at,
    )


def encode(record: LeaseRecord, nonce: str = "") -> bytes:
    """`nonce` tells two writes apart, even where an object's version is a hash of its content."""
    return json.dumps(_RECORD.dump_python(record, mode="json") | {"nonce": nonce}, indent=1).encode()


def decode(data: bytes, name: str) -> LeaseRecord:
    """The record in the object called `name`; keys that are not ours are left unread.

    Raises BackupError for anything else: a lease that cannot be read might be held.
    """
    try:
        record = _RECORD.validate_json(data)
    except ValidationError:
        record = None
    if record is None or not _makes_sense(record):
        raise BackupError(
            f"{name} is not a lease as this version writes them: make sure that no other bot uses this replica, then "
            "delete it and start again."
        )
    return record


def _makes_sense(record: LeaseRecord) -> bool:
    times = (record.renewed_at, record.heartbeat_at, record.writer_renewed_at)
    aware = all(time is None or time.tzinfo is not None for time in times)
    return aware and bool(record.holder) and record.seconds > 0 and math.isfinite(record.seconds)
