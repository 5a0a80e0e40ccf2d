"""Open the lease of a replica, or read it without taking it."""

import secrets
from datetime import datetime
from pathlib import Path

from dispinmap.backup.lease.file_lease import FileLease
from dispinmap.backup.lease.lease import Lease
from dispinmap.backup.lease.object_lease import ObjectLease
from dispinmap.backup.lease.record import decode
from dispinmap.backup.lease.rules import in_use, looks_alive
from dispinmap.backup.models import LeaseRecord, Replica, StorageKind
from dispinmap.backup.storage.store import Store
from dispinmap.clock import Clock


def open_lease(replica: Replica, store: Store, clock: Clock, *, seconds: float, holder: str | None = None) -> Lease:
    """The lease beside `replica`, not held yet; does not access the storage yet. `holder` is random unless given.

    In object storage a holder loses the lease if it does not renew it for `seconds`; in a folder, when its process
    ends.
    """
    holder = holder or secrets.token_hex(8)
    if replica.kind is StorageKind.FILE:
        return FileLease(Path(replica.lease_path), clock, seconds=seconds, holder=holder)
    name = f"{replica.kind}://{replica.bucket}/{replica.lease_path}"
    return ObjectLease(name, replica.lease_path, store, clock, seconds=seconds, holder=holder)


async def read_lease(replica: Replica, store: Store) -> LeaseRecord | None:
    """The record in the replica's lease; None if no one ever held it. Raises StorageError, BackupError."""
    content = await store.read(replica.lease_path)
    return decode(content.data, replica.lease_path) if content else None


def lease_sentence(replica: Replica, lease: LeaseRecord | None, now: datetime) -> str:
    """Whether someone holds the lease, as far as the time of day shows it (pure)."""
    if lease is None:
        return "No bot has held the lease of this backup yet."
    if looks_alive(lease, now):
        return f"{in_use(str(replica), lease)}."
    end = "gave it back" if lease.released else "stopped renewing it"
    return (
        f"The lease is free: the bot {lease.holder} on {lease.host} {end} at {lease.renewed_at:%Y-%m-%d %H:%M:%S} UTC."
    )
