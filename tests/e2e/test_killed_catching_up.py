"""`kill -9` while the bot reads and posts what it missed in some days: everything is posted, and nothing twice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from dispinmap.database.engine import Database
from dispinmap_sandbox.world import World
from tests.fakes.catching_up import PatientServer, catch_up_killed, leave
from tests.fakes.clock import ManualClock
from tests.fakes.missed import facts, missed, owed, wishes
from tests.fakes.postfile import PostFile

DAYS = 3
CHANNELS, PER_CHANNEL = 10, 5


async def test_killed_while_catching_up_every_channel_gets_all_it_missed_once(
    database: Database, database_file: Path, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    known = facts()
    wanted = wishes(known.venues, CHANNELS, PER_CHANNEL)
    rows = missed(known.venues, DAYS, now)
    await leave(database, wanted, now - timedelta(days=DAYS))
    world = World(ManualClock(now), history=0, facts=known)
    world.inject(row.payload for row in rows)
    server = PatientServer(world, ManualClock(now))
    await server.start()
    posts = tmp_path / "posts"
    expected = owed(wanted, rows)
    try:
        await catch_up_killed(database_file, posts, server, (2, 7, 12), kill_after_posts=len(expected) // 3)
    finally:
        await server.stop()
    assert PostFile(posts).posted() == expected
    assert len(expected) > len(wanted)
