"""Run Litestream for a block, and kill it at the end like a crash."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dispinmap.backup.litestream.litestream import Litestream, Replication
from dispinmap.backup.models import Configuration


@asynccontextmanager
async def running(litestream: Litestream, settings: Configuration) -> AsyncIterator[Replication]:
    replication = litestream.replicate(settings)
    task = asyncio.create_task(replication.run())
    try:
        yield replication
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
