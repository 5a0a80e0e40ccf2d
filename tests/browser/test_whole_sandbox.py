"""The promise of the page's welcome, kept by the real bot."""

import discord
import pytest
from playwright.async_api import Browser

from tests.browser import story
from tests.browser.conftest import PATIENCE_MILLISECONDS

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_change_in_the_panel_becomes_a_card_in_the_channel(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    async with story.whole_sandbox() as url:
        tab = await browser.new_page()
        tab.set_default_timeout(PATIENCE_MILLISECONDS)
        await tab.goto(url)
        await story.watch_ground_kontrol(tab)
        await story.add_machine(tab)
        await story.say_and_remove(tab)
        await tab.close()
