"""The real bot on a database restored from a backup: Discord's own history says what was posted already."""

from pathlib import Path

from dispinmap.database import copies
from dispinmap.database.engine import Database
from dispinmap.database.progress import silent
from dispinmap.database.queries import heartbeat
from tests.fakes.stage import MORE_THAN_AN_HOUR, Stage
from tests.fakes.values import GROUND_KONTROL


def _put(copy: Path, file: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    copy.rename(file)


async def _mark_restored(stage: Stage) -> None:
    database = Database(stage.database_url)
    async with database.write() as session:
        await heartbeat.mark_restored(session, stage.clock.now())
    await database.close()


async def test_what_the_lost_database_had_posted_is_found_and_only_the_rest_is_posted(
    stage: Stage, database_file: Path, tmp_path: Path
) -> None:
    world = stage.services.world
    there = {machine.id for machine in world.location(GROUND_KONTROL).machines}
    absent = iter([machine.id for machine in world.catalog if machine.id not in there])

    def arrival() -> int:
        return world.add_machine(GROUND_KONTROL, next(absent)).id

    await stage.command("add location", name="Ground Kontrol Classic Arcade")
    posted = [arrival()]
    stage.pass_time()
    await stage.card(posted[0])
    copies.copy_database(database_file, tmp_path / "copy.db", silent)
    for _ in range(2):
        posted += [arrival(), arrival()]
        stage.pass_time()
        await stage.card(posted[-1])
    missed = arrival()
    await stage.stop_bot()
    stage.clock.advance(MORE_THAN_AN_HOUR)
    _put(tmp_path / "copy.db", database_file)
    await _mark_restored(stage)
    await stage.start_bot()
    stage.pass_time()
    await stage.card(missed)
    assert sorted(stage.announced()) == sorted([*posted, missed])
