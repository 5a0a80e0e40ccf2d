"""`dispinmap sandbox`: the real bot, the embedded services it talks to, and the chat page."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from dispinmap import app
from dispinmap_sandbox.clock import SandboxClock
from dispinmap_sandbox.page.server import ChatPage
from dispinmap_sandbox.services import DISCORD_TOKEN, PINBALLMAP_TOKEN, embedded_services

LOOPBACK = "127.0.0.1"
TOKENS = (DISCORD_TOKEN, PINBALLMAP_TOKEN)
"""The log masks these, as it masks an operator's tokens."""


async def run(port: int, announce: Callable[[str], None]) -> None:
    """Run until cancelled. Calls `announce` with the page's address once the bot is connected."""
    with TemporaryDirectory(prefix="dispinmap-sandbox-") as folder:
        clock = SandboxClock()
        async with embedded_services(clock, rate_limits=True) as services:
            page = ChatPage(services.discord, services.world, clock)
            await page.start(LOOPBACK, port)
            try:
                async with asyncio.TaskGroup() as group:
                    settings = services.settings(f"sqlite:///{Path(folder) / 'sandbox.db'}")
                    group.create_task(app.run(settings, clock, web_host=LOOPBACK), name="bot")
                    await services.discord.wait_connected()
                    announce(page.url)
            finally:
                await page.stop()
