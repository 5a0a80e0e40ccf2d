"""Open the lease of a replica."""

import secrets
from pathlib import Path

from dispinmap.backup.lease.file_lease import FileLease
from dispinmap.backup.lease.lease import Lease
from dispinmap.backup.lease.object_lease import ObjectLease
from dispinmap.backup.models import Replica, StorageKind
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
