"""One backup, and everything that works on it."""

from dataclasses import dataclass

from dispinmap.backup.lease.lease import Lease
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Configuration
from dispinmap.backup.storage.store import Store


@dataclass(frozen=True, slots=True)
class Place:
    """Where the backup is, and the tools that work on it."""

    configuration: Configuration
    litestream: Litestream
    store: Store
    lease: Lease
