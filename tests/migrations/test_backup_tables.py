"""The tables about the backup, there and back with rows in them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispinmap.database.engine import Database
from dispinmap.database.queries import heartbeat
from dispinmap.database.revisions import head
from dispinmap.database.upgrade import downgrade, upgrade
from dispinmap.database.verify import revision, verify
from dispinmap.health import DrillState
from tests.migrations.legacy import rows, write

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def _fill(database: Database) -> None:
    async with database.write() as session:
        await heartbeat.beat(session, NOON, "a run")
        await heartbeat.mark_restored(session, NOON)
        for problem in (None, "The backup is not whole."):
            await heartbeat.save_drill(session, DrillState(NOON, 0.25, NOON, problem))
    await database.close()


async def test_the_heartbeat_and_the_drills_go_with_their_tables_and_start_again(
    database: Database, database_file: Path
) -> None:
    await _fill(database)
    write(database_file, "INSERT INTO channel_configs (channel_id, guild_id) VALUES (11, 7)")
    downgrade(database.url, "9d2c71e05ab4")
    assert rows(database_file, "SELECT holder FROM heartbeat") == ["a run"]
    downgrade(database.url, "43d138bd38f5")
    assert revision(database.url) == "43d138bd38f5"
    upgrade(database.url)
    assert verify(database.url) == []
    assert rows(database_file, "SELECT channel_id FROM channel_configs") == [11]
    for table in ("heartbeat", "drills"):
        assert rows(database_file, f"SELECT COUNT(*) FROM {table}") == [0]  # noqa: S608 -- our own names


@pytest.mark.parametrize("before", ["43d138bd38f5", "9d2c71e05ab4"])
async def test_an_older_database_gets_them_and_keeps_what_it_has(
    database: Database, database_file: Path, before: str
) -> None:
    downgrade(database.url, before)
    write(database_file, "INSERT INTO channel_configs (channel_id, guild_id) VALUES (11, 7)")
    upgrade(database.url)
    assert revision(database.url) == head()
    assert rows(database_file, "SELECT channel_id FROM channel_configs") == [11]
    await _fill(database)
    assert rows(database_file, "SELECT COUNT(*) FROM drills") == [2]
