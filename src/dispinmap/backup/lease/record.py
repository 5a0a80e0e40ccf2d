"""The content of a lease, as JSON."""

import json
import socket
from dataclasses import replace
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError

from dispinmap.backup.errors import BackupError
from dispinmap.backup.models import LeaseRecord

_ADAPTER: Final = TypeAdapter(LeaseRecord)


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
    return json.dumps(_ADAPTER.dump_python(record, mode="json") | {"nonce": nonce}, indent=1).encode()


def decode(data: bytes, name: str) -> LeaseRecord:
    """The record in the object called `name`; unknown keys are ignored.

    Raises BackupError if it is not a lease: if we cannot read it, another bot might hold it.
    """
    try:
        return _ADAPTER.validate_json(data, strict=True)
    except ValidationError:
        raise BackupError(
            f"{name} is not a lease as this version writes them: make sure that no other bot uses this replica, then "
            "delete it and start again."
        ) from None
