"""The map cells of the circles that targets watch, computed when a circle is new to the table."""

from sqlalchemy import Select, delete, exists, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries.batching import CHUNK, UNSYNCHRONIZED, insert_new
from dispinmap.database.tables import AREA_SQL, UNMAPPED_SQL, AreaCellRow, MonitoringTargetRow
from dispinmap.matching.geography import cells_around
from dispinmap.targets.models import area_or_none


def unmapped(limit: int) -> Select[int, str]:
    """Some areas whose cells are missing or out of date."""
    # Only with this order does SQLite take the index of these rows; otherwise it walks that of all areas.
    columns = select(MonitoringTargetRow.id, MonitoringTargetRow.target_name)
    return columns.where(text(UNMAPPED_SQL)).order_by(MonitoringTargetRow.id).limit(limit)


async def has_unmapped(session: AsyncSession) -> bool:
    """Whether `map_targets` has anything to do."""
    return (await session.execute(unmapped(1))).first() is not None


async def map_targets(session: AsyncSession) -> int:
    """Compute the cells of new and changed areas, for at most `CHUNK` targets. Returns for how many.

    Rows written by hand are found like all others.
    """
    found = await session.execute(unmapped(CHUNK))
    areas = {row.id: row.target_name for row in found}
    if areas:
        cells = [{"cell": cell, "area": area} for area in sorted(set(areas.values())) for cell in _cells(area)]
        await insert_new(session, AreaCellRow, cells)
        await session.execute(
            update(MonitoringTargetRow)
            .where(MonitoringTargetRow.id.in_(areas))
            .values(mapped_name=MonitoringTargetRow.target_name),
            execution_options=UNSYNCHRONIZED,
        )
    return len(areas)


async def tidy_cells(session: AsyncSession) -> None:
    """Delete circles that no target watches, and make `map_targets` compute those again that lost their cells.

    Targets that were put back by hand can claim to be mapped when they are not.
    """
    watched = exists().where(text(AREA_SQL), MonitoringTargetRow.target_name == AreaCellRow.area)
    await session.execute(delete(AreaCellRow).where(~watched), execution_options=UNSYNCHRONIZED)
    mapped = select(AreaCellRow.area)
    await session.execute(
        update(MonitoringTargetRow)
        .where(MonitoringTargetRow.mapped_name.is_not(None), MonitoringTargetRow.mapped_name.not_in(mapped))
        .values(mapped_name=None),
        execution_options=UNSYNCHRONIZED,
    )


def _cells(target_name: str) -> list[int]:
    """Empty for text that is not an area: it cannot be watched, and `dispinmap db verify` says so."""
    area = area_or_none(target_name)
    return [] if area is None else list(cells_around(area))
