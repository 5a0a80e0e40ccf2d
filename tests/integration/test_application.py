"""The application as a whole: what it says of itself, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from dispinmap.app import Application
from dispinmap.database.engine import Database
from dispinmap.database.tables import ChannelConfigRow, MonitoringTargetRow
from dispinmap.errors import DisPinMapError
from dispinmap.health import POLL_OVERDUE, faults
from dispinmap.http import open_session
from dispinmap.secret import Secret
from dispinmap.settings import Settings
from dispinmap.web.server import WebServer
from dispinmap_sandbox.discord.permissions import Permission
from tests.fakes.clock import ManualClock
from tests.fakes.stage import Stage, open_stage, text_of
from tests.fakes.values import GROUND_KONTROL

MONSTER_BASH = 641
PATIENCE = 60


@pytest.fixture
async def stage(database_file: Path) -> AsyncIterator[Stage]:
    async with open_stage(database_file) as stage:
        yield stage


@asynccontextmanager
async def _running(stage: Stage) -> AsyncIterator[tuple[Application, asyncio.Task[None]]]:
    database = Database(stage.database_url)
    settings = stage.services.settings(stage.database_url)
    async with open_session() as session:
        application = Application(settings, stage.clock, database, session)
        task = asyncio.create_task(application.run())
        try:
            yield application, task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, DisPinMapError):
                await task
            await database.close()


async def _until_connected(application: Application, *, connected: bool) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await application.report()).gateway_connected is not connected:
            pass


async def test_a_lost_gateway_is_no_secret(stage: Stage) -> None:
    async with _running(stage) as (application, _):
        await _until_connected(application, connected=True)
        assert faults(await application.report()) == {}
        await stage.services.discord.stop()
        await _until_connected(application, connected=False)
        assert list(faults(await application.report())) == ["discord"]


async def test_a_first_target_long_after_the_start_leaves_as_long_for_the_first_poll(
    database: Database, clock: ManualClock
) -> None:
    settings = Settings(discord_token=Secret("token"))
    async with open_session() as session:
        application = Application(settings, clock, database, session)
        clock.advance((POLL_OVERDUE * 2).total_seconds())
        async with database.write() as writing:
            writing.add(ChannelConfigRow(channel_id=1, guild_id=1))
            writing.add(
                MonitoringTargetRow(
                    channel_id=1,
                    target_type="location",
                    target_name="Ground Kontrol Classic Arcade",
                    location_id=GROUND_KONTROL,
                    created_at=clock.now(),
                )
            )
        assert "pinballmap" not in faults(await application.report())
        clock.advance((POLL_OVERDUE + timedelta(seconds=1)).total_seconds())
        assert "pinballmap" in faults(await application.report())


async def test_without_discord_for_good_the_process_ends_with_a_sentence(stage: Stage) -> None:
    async with _running(stage) as (application, task):
        await _until_connected(application, connected=True)
        await application.bot.close()
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(DisPinMapError, match="start the bot again"):
                await task


async def test_a_check_says_why_nothing_could_be_posted_and_tries_again_at_once(stage: Stage) -> None:
    await stage.start_bot()
    await stage.command("add location", name=str(GROUND_KONTROL))
    await stage.command("notifications", kind="all")
    await stage.command("poll_rate", minutes="1")
    stage.services.discord.deny(stage.channel_id, Permission.SEND_MESSAGES)
    stage.pass_time(60)
    row = stage.services.world.comment(GROUND_KONTROL, MONSTER_BASH, "plays well")
    stage.pass_time(60)
    async with asyncio.timeout(PATIENCE):
        while "I can’t post to 1 channel" not in text_of(await stage.command("monitor_health")):
            pass
    stage.services.discord.allow(stage.channel_id, Permission.SEND_MESSAGES)
    answer = text_of(await stage.command("check"))
    assert "My last post here failed; I'm trying again now." in answer
    assert "Send Messages" in answer
    await stage.card(row.id)
    assert stage.announced() == [row.id]


async def test_a_state_that_cannot_be_read_is_not_ready_and_says_so() -> None:
    async def report() -> None:
        raise OSError("the disk is gone")

    web = WebServer(report)  # type: ignore[arg-type]  # it never returns
    port = await web.start("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/ready") as answer:
                assert answer.status == 503
                assert "OSError" in (await answer.json())["faults"]["report"]
            async with session.get(f"http://127.0.0.1:{port}/health") as answer:
                assert answer.status == 200
    finally:
        await web.stop()
