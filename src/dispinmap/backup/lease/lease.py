"""The interface of a lease."""

from datetime import datetime
from typing import NoReturn, Protocol

from dispinmap.backup.models import LeaseRecord


class Lease(Protocol):
    """The right to use one replica. There are never two holders, not even for a moment.

    A holder that cannot renew the lease stops using it before others may take it, each by its own clock.
    """

    holder: str
    """Our name: random, and new in each process."""
    waiting_for: str | None
    """While `acquire` waits: a sentence that says who holds the lease, or what is wrong with the storage."""

    async def acquire(self) -> LeaseRecord | None:
        """Wait until we hold the lease; returns the record before ours, None if no one ever held the lease.

        Also waits for storage that does not answer. Raises StorageRefused.
        """
        ...

    async def try_acquire(self) -> LeaseRecord | None:
        """Like `acquire`, but raises LeaseLost if another bot holds the lease, with a sentence that says who."""
        ...

    async def keep(self) -> NoReturn:
        """Renew the lease until cancelled.

        Raises LeaseLost as soon as we see another holder, and LeaseExpired if we could not renew in time. The caller
        must then stop writing, posting and replicating at once. After LeaseExpired it may call `regain`.
        """
        ...

    async def regain(self) -> LeaseRecord:
        """After LeaseExpired: wait until we have renewed the lease; returns our record.

        Raises LeaseLost if another bot has held the lease since.
        """
        ...

    async def record(self, *, writer: str | None = None, heartbeat_at: datetime | None = None) -> None:
        """Write the last writer or the newest replicated heartbeat to the lease now; None keeps the old value."""
        ...

    def note(self, heartbeat_at: datetime) -> None:
        """The replica holds this heartbeat. The next renewal writes it to the lease."""
        ...

    async def release(self) -> None:
        """Let the next bot have the lease at once. Does nothing if we do not hold it."""
        ...
