"""The interface of a lease, and how commands hold it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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


@asynccontextmanager
async def holding(lease: Lease) -> AsyncIterator[tuple[LeaseRecord | None, Callable[[], None]]]:
    """Hold the lease for a block. Raises LeaseLost if another bot holds it.

    Yields the record before ours, and a function that raises LeaseLost or LeaseExpired if we no longer hold the lease.
    """
    previous = await lease.try_acquire()
    keeping = asyncio.ensure_future(lease.keep())

    def require_held() -> None:
        if keeping.done():
            keeping.result()

    try:
        yield previous, require_held
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
        await lease.release()


async def sign(lease: Lease, previous: LeaseRecord | None, beat: datetime) -> None:
    """Write our name to the lease; `beat` is our first heartbeat in the database, `previous` the record before ours.

    Until the replica holds a heartbeat of ours, the lease keeps the previous one. But if our clock is behind, `beat` is
    earlier than that one, and the next start would reject every copy of ours as too old. So the lease gets the earlier.
    Raises LeaseLost, and StorageError if the record may or may not have been written.
    """
    known = previous.heartbeat_at if previous else None
    await lease.record(writer=lease.holder, heartbeat_at=min(known, beat) if known else None)
