"""Wait for a file replica's lease, report it and keep it: `python -m tests.backup.lease_holder PATH`."""

import asyncio
import sys

from dispinmap.backup.lease.open import open_lease
from dispinmap.backup.models import Replica, StorageKind
from dispinmap.backup.storage.open import open_store
from dispinmap.clock import SystemClock


async def main(path: str, holder: str) -> None:
    replica = Replica(StorageKind.FILE, path)
    lease = open_lease(replica, open_store(replica), SystemClock(), seconds=60, holder=holder)
    await lease.acquire()
    await lease.record(writer=holder)
    sys.stdout.write("held\n")
    sys.stdout.flush()
    await lease.keep()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
