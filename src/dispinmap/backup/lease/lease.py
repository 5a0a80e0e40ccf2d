"""The seam behind which the right to write is held."""

from datetime import datetime
from typing import NoReturn, Protocol

from dispinmap.backup.models import LeaseRecord


class Lease(Protocol):
    """The right to use one replica. Two holders at once never happen, not even for a moment.

    A holder that cannot renew gives up by its own clock before anybody else may take over.
    """

    holder: str
    """Ours: random, anew with each process."""
    waiting_for: str | None
    """While `acquire` waits: a sentence that says who holds it."""

    async def acquire(self) -> LeaseRecord | None:
        """Wait until we hold it; returns what stood there before, None where nobody ever held it.

        Storage that does not answer is waited for too. Raises StorageRefused.
        """
        ...

    async def try_acquire(self) -> LeaseRecord | None:
        """The same without waiting for a holder: raises LeaseLost with the sentence that says who holds it."""
        ...

    async def keep(self) -> NoReturn:
        """Renew until cancelled.

        Raises LeaseLost the moment another holder is seen, and LeaseExpired where it could not be renewed in time: the
        caller stops writing, posting and replicating at once, and may call `regain`.
        """
        ...

    async def regain(self) -> LeaseRecord:
        """After LeaseExpired: wait until it is renewed; returns what stands there, of ours.

        Raises LeaseLost if another bot has held it meanwhile.
        """
        ...

    async def record(self, *, writer: str | None = None, heartbeat_at: datetime | None = None) -> None:
        """Write into the lease, now, who wrote last or which heartbeat is in the replica; None leaves it as it is."""
        ...

    def note(self, heartbeat_at: datetime) -> None:
        """This heartbeat is in the replica: the next renewal says so."""
        ...

    async def release(self) -> None:
        """Let the next one have it at once. Harmless when it is not held."""
        ...
