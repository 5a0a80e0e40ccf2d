"""The chat page on the real sandbox servers, with a real discord.py bot and a real browser."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import discord
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from dispinmap_sandbox.clock import SandboxClock
from dispinmap_sandbox.discord.seed import Seed
from dispinmap_sandbox.discord.server import DiscordServer
from dispinmap_sandbox.page.server import ChatPage
from dispinmap_sandbox.world import World
from tests.browser.chromium import CHROMIUM, CHROMIUM_OPTIONS
from tests.browser.stage_bot import StageBot

PATIENCE_MILLISECONDS = 30_000
TOKEN = "stage-token"


@dataclass(frozen=True, slots=True)
class Chat:
    """The embedded Discord with a bot in it."""

    discord: DiscordServer
    clock: SandboxClock
    bot: StageBot
    seed: Seed


@dataclass(frozen=True, slots=True)
class Stage:
    """What a browser test uses."""

    discord: DiscordServer
    world: World
    clock: SandboxClock
    page: ChatPage
    bot: StageBot
    seed: Seed


@pytest.fixture(scope="session")
def chromium() -> Path:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there: install Debian's package chromium")
    return CHROMIUM


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def script(browser: Browser) -> AsyncIterator[Page]:
    """A page without a bot, to call the functions of its modules."""
    clock = SandboxClock()
    server = DiscordServer(clock, token=TOKEN)
    server.seed()
    page = ChatPage(server, World(clock), clock)
    await page.start()
    tab = await browser.new_page(locale="en-US", timezone_id="UTC")
    await tab.goto(page.url)
    yield tab
    await tab.close()
    await page.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chat() -> AsyncIterator[Chat]:
    """Discord with the bot connected: the slow part, so all tests share it."""
    clock = SandboxClock()
    server = DiscordServer(clock, token=TOKEN)
    seed = server.seed()
    await server.start()
    bot = StageBot()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", server.api_base)
        running = asyncio.create_task(bot.start(TOKEN))
        await server.wait_connected()
        yield Chat(server, clock, bot, seed)
        await bot.close()
        await running
    await server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(chat: Chat) -> AsyncIterator[Stage]:
    """A world and a page of the test's own, and a chat without messages."""
    world = World(chat.clock)
    page = ChatPage(chat.discord, world, chat.clock)
    await page.start()
    yield Stage(chat.discord, world, chat.clock, page, chat.bot, chat.seed)
    await page.stop()
    chat.discord.state.messages.clear()


@pytest_asyncio.fixture(loop_scope="session")
async def tab(stage: Stage, browser: Browser) -> AsyncIterator[Page]:
    """The open page. The test fails if the browser complains in its console, for example about the security policy."""
    complaints: list[str] = []
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US", timezone_id="UTC")
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    tab = await context.new_page()
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda line: complaints.append(line.text) if _is_complaint(line) else None)
    await tab.goto(stage.page.url)
    await tab.get_by_role("button", name="pinball", exact=True).wait_for()
    yield tab
    await context.close()
    assert complaints == []


def _is_complaint(line: ConsoleMessage) -> bool:
    """Not a refused request: the browser logs those too, and the page shows a sentence for them."""
    return line.type in ("error", "warning") and not line.text.startswith("Failed to load resource")
