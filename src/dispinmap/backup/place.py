"""The parts that work on one backup, together."""

from dataclasses import dataclass

from dispinmap.backup.lease.lease import Lease
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Configuration
from dispinmap.backup.storage.store import Store


@dataclass(frozen=True, slots=True)
class Place:
    """Where the backup is, and what works on it."""

    configuration: Configuration
    litestream: Litestream
    store: Store
    lease: Lease
