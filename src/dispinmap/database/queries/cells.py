"""The map cells of targets, kept in step with what the targets say."""

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import CHUNK, insert_new
from dispinmap.database.tables import UNMAPPED_SQL, MonitoringTargetRow, TargetCellRow
from dispinmap.matching.geography import cells_around
from dispinmap.targets.models import area_or_none

# The session holds no rows of these tables that it would have to keep in step.
_UNWATCHED = {"synchronize_session": False}


async def has_unmapped(session: AsyncSession) -> bool:
    """Whether `map_targets` has anything to do."""
    return await session.scalar(select(MonitoringTargetRow.id).where(text(UNMAPPED_SQL)).limit(1)) is not None


async def map_targets(session: AsyncSession) -> int:
    """Work out the cells of areas that are new or have another circle now, a few hundred at most; how many it were.

    Rows that somebody wrote by hand are found like all others.
    """
    found = await session.execute(
        select(MonitoringTargetRow.id, MonitoringTargetRow.target_name).where(text(UNMAPPED_SQL)).limit(CHUNK)
    )
    names = {row.id: row.target_name for row in found}
    if names:
        await session.execute(
            delete(TargetCellRow).where(TargetCellRow.target_id.in_(names)), execution_options=_UNWATCHED
        )
        cells = [{"cell": cell, "target_id": id_} for id_, name in names.items() for cell in _cells(name)]
        await insert_new(session, TargetCellRow, cells)
        await session.execute(
            update(MonitoringTargetRow)
            .where(MonitoringTargetRow.id.in_(names))
            .values(mapped_name=MonitoringTargetRow.target_name),
            execution_options=_UNWATCHED,
        )
    return len(names)


async def forget_lost_cells(session: AsyncSession) -> None:
    """Let `map_targets` work out again what says that it is mapped and has no cells, as rows put back by hand may."""
    mapped = select(TargetCellRow.target_id)
    await session.execute(
        update(MonitoringTargetRow)
        .where(MonitoringTargetRow.mapped_name.is_not(None), MonitoringTargetRow.id.not_in(mapped))
        .values(mapped_name=None),
        execution_options=_UNWATCHED,
    )


def _cells(target_name: str) -> list[int]:
    """None for text that is no area: it cannot be watched, and `dispinmap db verify` says so."""
    area = area_or_none(target_name)
    return [] if area is None else list(cells_around(area))
