"""Read a lease without taking it, and say who holds it."""

from datetime import datetime

from dispinmap.backup.lease.record import decode
from dispinmap.backup.lease.rules import in_use, looks_alive
from dispinmap.backup.models import LeaseRecord, Replica
from dispinmap.backup.storage.store import Store


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
