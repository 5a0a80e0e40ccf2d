"""The map cells of circles, there and back with targets that share one."""

from pathlib import Path

from dispinmap.database.engine import Database
from dispinmap.database.upgrade import downgrade, upgrade
from dispinmap.database.verify import verify
from tests.migrations.legacy import rows, write

BEFORE = "c72e5a609b84"
CELLS = [48777, 48778]
TWO_TARGETS = """
INSERT INTO monitoring_targets (id, channel_id, target_type, target_name, mapped_name)
VALUES (1, 11, 'latlong', '45.5,-122.6,25', '45.5,-122.6,25'), (2, 12, 'latlong', '45.5,-122.6,25', '45.5,-122.6,25')
"""


async def test_circles_keep_their_cells_both_ways(database: Database, database_file: Path) -> None:
    await database.close()
    downgrade(database.url, BEFORE)
    write(database_file, "INSERT INTO channel_configs (channel_id, guild_id) VALUES (11, 7), (12, 7)")
    write(database_file, TWO_TARGETS)
    write(database_file, "INSERT INTO target_cells (cell, target_id) VALUES (48777, 1), (48778, 1)")
    write(database_file, "INSERT INTO target_cells (cell, target_id) VALUES (48777, 2), (48778, 2)")
    upgrade(database.url)
    assert verify(database.url) == []
    assert rows(database_file, "SELECT cell FROM area_cells WHERE area = '45.5,-122.6,25' ORDER BY cell") == CELLS
    downgrade(database.url, BEFORE)
    for query in (
        "SELECT cell FROM target_cells WHERE target_id = 1",
        "SELECT cell FROM target_cells WHERE target_id = 2",
    ):
        assert sorted(rows(database_file, query)) == CELLS
