"""Targets that somebody wrote into the database by hand, as the guide shows it, are served like any other."""

import sqlite3
from contextlib import closing

from tests.fakes.stage import Stage, text_of
from tests.fakes.values import GROUND_KONTROL

INSERTS = """
INSERT INTO monitoring_targets (channel_id, target_type, target_name, location_id)
VALUES ({channel}, 'location', 'Ground Kontrol', 874);
INSERT INTO monitoring_targets (channel_id, target_type, target_name)
VALUES ({channel}, 'city', '45.52345,-122.67621');
INSERT INTO monitoring_targets (channel_id, target_type, target_name)
VALUES ({channel}, 'latlong', '45.52345,-122.67621,5');
"""


def write_by_hand(stage: Stage) -> None:
    """Without a row for the channel, which the shell does not ask for."""
    with closing(sqlite3.connect(stage.database_url.removeprefix("sqlite:///"))) as shell:
        shell.executescript(INSERTS.format(channel=stage.channel_id))


async def test_targets_written_by_hand_are_listed_and_served(empty_stage: Stage) -> None:
    write_by_hand(empty_stage)
    await empty_stage.start_bot()
    listed = text_of(await empty_stage.command("list", empty_stage.member_id))
    assert "Ground Kontrol" in listed
    assert "45.52345" in listed

    world = empty_stage.services.world
    there = {machine.id for machine in world.location(GROUND_KONTROL).machines}
    row = world.add_machine(GROUND_KONTROL, next(machine.id for machine in world.catalog if machine.id not in there))
    empty_stage.pass_time()
    await empty_stage.card(row.id)
    assert empty_stage.announced() == [row.id]


async def test_its_channel_stays_active_though_its_server_is_unknown(empty_stage: Stage) -> None:
    write_by_hand(empty_stage)
    await empty_stage.start_bot()
    await empty_stage.command("list")
    with closing(sqlite3.connect(empty_stage.database_url.removeprefix("sqlite:///"))) as shell:
        ((guild_id, is_active),) = shell.execute("SELECT guild_id, is_active FROM channel_configs").fetchall()
    assert (guild_id, is_active) == (0, None)
    await empty_stage.command("poll_rate", minutes="30")
    with closing(sqlite3.connect(empty_stage.database_url.removeprefix("sqlite:///"))) as shell:
        ((guild_id, is_active),) = shell.execute("SELECT guild_id, is_active FROM channel_configs").fetchall()
    assert guild_id != 0
    assert is_active == 1
