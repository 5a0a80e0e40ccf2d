"""A small bot to compare with: it asks Pinball Map once for every target, as is the obvious way."""

from collections import defaultdict

from sqlalchemy import select

from dispinmap.database.engine import Database
from dispinmap.database.tables import MonitoringTargetRow
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.models import Nothing, Rows
from dispinmap.targets.models import Area


class ReferencePoller:
    """What it has seen is in memory only, and it delivers nothing: a real bot of this kind costs more than this."""

    def __init__(self, pinballmap: PinballMapClient, database: Database) -> None:
        self._pinballmap = pinballmap
        self._database = database
        self._seen: defaultdict[int, set[int]] = defaultdict(set)

    async def poll(self) -> int:
        """Ask for each target in turn; returns how many submissions were new to one."""
        new = 0
        for target in await self._targets():
            answer = await self._ask(target)
            ids = {row.id for row in answer.submissions} if isinstance(answer, Rows) else set()
            new += len(ids - self._seen[target.id])
            self._seen[target.id] |= ids
        return new

    async def _targets(self) -> list[MonitoringTargetRow]:
        async with self._database.read() as session:
            return list(await session.scalars(select(MonitoringTargetRow)))

    async def _ask(self, target: MonitoringTargetRow) -> Rows | Nothing:
        if target.location_id is not None:
            return await self._pinballmap.submissions_at(target.location_id)
        area = Area.parse(target.target_name)
        return await self._pinballmap.submissions_near(area.latitude, area.longitude, area.radius)
