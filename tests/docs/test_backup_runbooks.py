"""The commands of the backup's pages do what the pages say: one test for each section with commands."""

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from dispinmap.backup.models import Format
from dispinmap_sandbox.services import EmbeddedServices
from tests.backup.container import running
from tests.docs.conftest import LATER, Past
from tests.docs.pages import blocks, read, sections
from tests.docs.playing import PROGRAMS, Operator, put_gcs_object
from tests.migrations import legacy

PAGES = [read(f"docs/{name}.md") for name in ("backup", "backup-runbooks", "backup-theory", "monitoring")]
SECTIONS = {heading: body for page in PAGES for level in (2, 3) for heading, body in sections(page, level).items()}
BUCKET = "my-bot-backups"
NOON = "2026-03-01 12:00"
FIRST = "Ground Kontrol Classic Arcade"

# For sections about one version of Litestream, or to which the version makes no difference.
with_0_3 = pytest.mark.parametrize("past", [Format.V0_3], indirect=True)
with_0_5 = pytest.mark.parametrize("past", [Format.V0_5], indirect=True)


def commands(heading: str) -> list[str]:
    """The blocks of commands below a heading, except those below its subheadings."""
    return blocks(SECTIONS[heading].partition("\n### ")[0], "sh")


def at(script: str, past: Past) -> str:
    """The script with this test's moment in place of the page's."""
    assert NOON in script
    return script.replace(NOON, (past.then + timedelta(milliseconds=1)).isoformat())


async def serves(operator: Operator, services: EmbeddedServices) -> list[str]:
    """Start the bot, wait until it is ready, stop it; returns what it watches."""
    async with running(operator.bot(services)) as bot:
        await bot.until_ready()
        assert await bot.stop() == 0
    return operator.targets()


def test_every_block_of_commands_is_tested() -> None:
    played = re.findall(r'commands\("([^"]+)"\)', Path(__file__).read_text(encoding="utf-8"))
    assert set(played) == {heading for heading in SECTIONS if commands(heading)}
    assert not [page for page in PAGES if "<!-- not run" in page]


async def test_in_a_minute(services: EmbeddedServices, dispinmap: str, tmp_path: Path) -> None:
    beginning, looking = commands("In a minute")
    assert beginning.endswith("\ndispinmap start\n")
    operator = Operator(tmp_path / "bot", dispinmap)
    bot = operator.bot(services)
    script = beginning.replace("dispinmap start", "exec dispinmap start")
    script = f"cd {operator.folder}; PATH='{PROGRAMS}':$PATH; {script}"
    bot.command = (str(shutil.which("bash")), "-euc", script)
    async with running(bot):
        await bot.until_ready()
        await bot.until_replicated()
        operator.replicates_to_a_folder()
        said = await operator.types(looking)
        assert await bot.stop() == 0
    assert "is in use by the bot" in said
    assert "The backup is good." in said


@with_0_3
async def test_configuration(operator: Operator) -> None:
    (checks,) = commands("Configuration")
    said = await operator.types(checks)
    assert "Litestream 0.3 does what the configuration says." in said
    assert "Litestream 0.5 does what the configuration says." in said


@with_0_3
async def test_watching_it(operator: Operator) -> None:
    (proofs,) = commands("Watching it")
    said = await operator.types(proofs)
    assert "The backup is good." in said
    assert '"good": true' in said
    assert "The drill passed" in said


@with_0_3
async def test_access_to_production_data(operator: Operator, original: str) -> None:
    copy, fetch, by_hand = commands("Access to production data")
    operator.moves_the_backup(original, BUCKET)
    operator.lose_the_disk()
    assert (await operator.types(copy)).endswith("\n2\n")
    assert (await operator.types(fetch)).endswith(f"\n{len(legacy.TARGETS)}\n")
    assert (await operator.types(by_hand)).endswith("ok\n")
    assert operator.targets("by_hand.db") == operator.targets("production_backup.db")


@with_0_5
async def test_lost_disk(operator: Operator, services: EmbeddedServices) -> None:
    (look,) = commands("Lost disk")
    operator.lose_the_disk()
    assert "The backup is good." in await operator.types(look)
    assert await serves(operator, services) == [FIRST, LATER]


@with_0_3
async def test_bad_deploy(operator: Operator, past: Past, services: EmbeddedServices) -> None:
    back, own_file = commands("Bad deploy")
    await operator.types(at(back, past))
    assert operator.targets() == [FIRST]
    own = operator.folder / "pinball_bot.db.before-e41f60b98d27"
    shutil.copy(past.folder / "pinball_bot.db", own)
    legacy.write(own, "UPDATE monitoring_targets SET target_name = 'Ours'")
    await operator.types(own_file)
    assert await serves(operator, services) == ["Ours", "Ours"]
    assert legacy.rows(operator.database, "SELECT COUNT(*) FROM heartbeat WHERE restored_at IS NOT NULL") == [1]
    await operator.types("dispinmap backup restore --to newest.db")
    assert operator.targets("newest.db") == ["Ours", "Ours"]


@with_0_3
async def test_corrupt_file(operator: Operator) -> None:
    (cure,) = commands("Corrupt file")
    data = operator.database.read_bytes()
    middle = len(data) // 8192 * 4096
    operator.database.write_bytes(data[:middle] + b"\xff" * 4096 + data[middle + 4096 :])
    assert re.search("is damaged|cannot be read", await operator.types("dispinmap db verify", code=1))
    await operator.types(cure)
    assert operator.targets() == [FIRST, LATER]
    assert list(operator.folder.glob("pinball_bot.db.set-aside-*Z"))


async def test_a_failed_drill(operator: Operator, services: EmbeddedServices) -> None:
    begin_anew, proof = commands("A failed drill")
    for stored in (operator.folder / "backup" / "db").rglob("*.l*"):
        stored.write_bytes(stored.read_bytes()[:-9])
    assert "The drill failed" in await operator.types("dispinmap backup drill", code=1)
    await operator.types(begin_anew)
    assert await serves(operator, services) == [FIRST, LATER]
    assert "The drill passed" in await operator.types(proof)
    assert (operator.folder / "backup" / "db-damaged").is_dir()


@with_0_5
async def test_moving_to_another_host(operator: Operator, dispinmap: str, tmp_path: Path) -> None:
    pack, unpack = commands("Moving to another host")
    await operator.types(pack)
    there = Operator(tmp_path / "there", dispinmap)
    there.replicates_to_a_folder()
    there.uses(Format.V0_5)
    shutil.move(operator.folder / "backup.tar", there.folder)
    said = await there.types(unpack)
    assert "The backup is good." in said
    assert "The lease is free" in said
    assert "mount the volume it is on" in await operator.types("DISCORD_TOKEN=unused PORT=0 dispinmap start", 1)


@with_0_5
async def test_a_point_in_time(operator: Operator, past: Past) -> None:
    look, go_back = commands("A point in time")
    said = await operator.types(at(look, past))
    assert FIRST in said
    assert LATER not in said
    assert "The next start goes on from there." in await operator.types(at(go_back, past))
    assert operator.targets() == [FIRST]


async def test_from_the_original_bots_bucket(
    original: str, services: EmbeddedServices, dispinmap: str, tmp_path: Path
) -> None:
    (adopt,) = commands("From the original bot's bucket to ours")
    ours = Operator(tmp_path / "ours", dispinmap, {"STORAGE_EMULATOR_HOST": original, **services.environment})
    ours.replicates_to_a_folder()
    await ours.types(adopt)
    served = await serves(ours, services)
    assert "Austin Pinball Collective" in served
    assert "The backup is good." in await ours.types("dispinmap backup validate")


@with_0_3
async def test_from_0_3_to_0_5_and_back(operator: Operator, gcs: str, services: EmbeddedServices) -> None:
    upgrade, look, back = commands("From Litestream 0.3 to 0.5, and back")
    operator.moves_the_backup(gcs, BUCKET)
    operator.uses(Format.V0_5)
    refused = await operator.types("dispinmap backup config --check", code=1)
    assert "run `dispinmap backup upgrade-format`" in " ".join(refused.split())
    said = await operator.types(upgrade)
    assert "There is nothing to set: with Litestream 0.5 LITESTREAM_BUCKET means the new path." in said
    operator.lose_the_disk()
    assert await serves(operator, services) == [FIRST, LATER]
    assert "The backup is good." in await operator.types(look)

    operator.lose_the_disk()
    await operator.types(back)
    operator.uses(Format.V0_3)
    assert await serves(operator, services) == [FIRST, LATER]
    assert "The backup is good." in await operator.types(look)


@with_0_3
async def test_with_litestream_alone(operator: Operator, gcs: str) -> None:
    (restore,) = commands("With Litestream alone")
    operator.moves_the_backup(gcs, BUCKET)
    operator.lose_the_disk()
    said = (await operator.types(restore)).splitlines()
    assert said[-2] == "ok"
    assert said[-1].startswith("20")
    assert operator.targets("restored.db") == [FIRST, LATER]


@with_0_3
async def test_the_lease_is_stuck(operator: Operator, gcs: str) -> None:
    look, free = commands("The lease is stuck")
    operator.moves_the_backup(gcs, BUCKET)
    assert "The lease is free" in await operator.types(look)
    put_gcs_object(gcs, BUCKET, "db.lease", b"?")
    assert "is not a lease as this version writes them" in await operator.types(look, code=1)
    await operator.types(free)
    assert "No bot has held the lease" in await operator.types(look)
