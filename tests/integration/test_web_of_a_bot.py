"""The web pages of the real bot between the embedded services."""

import asyncio
from contextlib import suppress
from pathlib import Path

import aiohttp

from dispinmap.app import Application
from dispinmap.database.engine import Database
from dispinmap.health import faults
from dispinmap.http import open_session
from dispinmap.web.server import WebServer
from tests.fakes.stage import open_stage

PATIENCE = 60


async def test_a_bot_that_works_says_so_on_every_page(database_file: Path) -> None:
    async with open_stage(database_file) as stage, open_session() as session:
        database = Database(stage.database_url)
        application = Application(stage.services.settings(stage.database_url), stage.clock, database, session)
        web = WebServer(application.report)
        port = await web.start("127.0.0.1", 0)
        running = asyncio.create_task(application.run())
        try:
            async with asyncio.timeout(PATIENCE), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as pages:
                while faults(await application.report()):
                    assert not running.done()
                async with pages.get("/ready") as answer:
                    assert answer.status == 200
                    assert (await answer.json())["parts"]["backup"] == {"ok": True, "reason": "Not configured."}
                async with pages.get("/metrics") as answer:
                    metrics = await answer.text()
                async with pages.get("/") as answer:
                    assert "All is well" in await answer.text()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await web.stop()
            await database.close()
    for sample in ("dispinmap_ready 1.0", "dispinmap_gateway_connected 1.0", 'dispinmap_polls_total{outcome="ok"} 0.0'):
        assert sample in metrics
