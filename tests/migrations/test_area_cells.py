"""A database whose targets had map cells of their own."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from dispinmap.database.engine import Database
from dispinmap.database.queries import cells
from dispinmap.database.upgrade import downgrade, upgrade
from dispinmap.database.verify import verify
from dispinmap.matching.geography import cells_around
from dispinmap.targets.models import Area
from tests.migrations.legacy import rows, write

BEFORE = "c72e5a609b84"
TWO_TARGETS = """
INSERT INTO monitoring_targets (id, channel_id, target_type, target_name, mapped_name)
VALUES (1, 11, 'latlong', '45.5,-122.6,25', '45.5,-122.6,25'), (2, 12, 'latlong', '45.5,-122.6,25', '45.5,-122.6,25')
"""


async def test_its_circles_get_their_cells_at_the_next_start(database: Database, database_file: Path) -> None:
    downgrade(database.url, BEFORE)
    write(database_file, "INSERT INTO channel_configs (channel_id, guild_id) VALUES (11, 7), (12, 7)")
    write(database_file, TWO_TARGETS)
    write(database_file, "INSERT INTO target_cells (cell, target_id) VALUES (1, 1), (1, 2)")
    upgrade(database.url)
    assert verify(database.url) == []
    async with database.write() as session:
        await cells.tidy_cells(session)
        assert await cells.map_targets(session) == 2
    expected = sorted(cells_around(Area(45.5, -122.6, 25)))
    assert rows(database_file, "SELECT cell FROM area_cells WHERE area = '45.5,-122.6,25' ORDER BY cell") == expected


async def test_a_look_for_areas_without_cells_does_not_walk_all_areas(database: Database) -> None:
    query = cells.unmapped(1).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    async with database.read() as session:
        plan = [row.detail for row in await session.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
    assert plan == ["SCAN monitoring_targets USING INDEX ix_monitoring_targets_unmapped"]
