"""Plays the three steps of the page's welcome on the whole sandbox. Also makes the README's picture.

`python -m tests.browser.story docs/images/sandbox.png` makes the picture again.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright, expect

from dispinmap_sandbox import run as sandbox_run
from tests.browser.chromium import CHROMIUM, CHROMIUM_OPTIONS

VENUE = "Ground Kontrol Classic Arcade"
ADDED = "Medieval Madness (Williams, 1997)"
REMOVED = "Doctor Who (Bally, 1992)"
PRAISED = "Monster Bash (Williams, 1998)"
READY_SECONDS = 60
VIEWPORT = ViewportSize(width=1280, height=955)


@asynccontextmanager
async def whole_sandbox() -> AsyncIterator[str]:
    """What `dispinmap sandbox` starts; gives the page's address."""
    addresses: asyncio.Queue[str] = asyncio.Queue()
    running = asyncio.create_task(sandbox_run.run(0, addresses.put_nowait))
    try:
        yield await asyncio.wait_for(addresses.get(), READY_SECONDS)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def enter(tab: Page, line: str) -> None:
    field = tab.get_by_label("Message", exact=True)
    await field.fill(line)
    await field.press("Enter")


async def card(tab: Page, *texts: str) -> None:
    """Wait until the newest card says all of this."""
    for text in texts:
        await expect(tab.locator("article.embed").last).to_contain_text(text)


async def watch_ground_kontrol(tab: Page) -> None:
    await enter(tab, "/add location name:Ground Kontrol")
    await expect(tab.get_by_role("log")).to_contain_text(f"Now watching {VENUE}")
    await enter(tab, "/notifications kind:all")
    await expect(tab.get_by_role("log")).to_contain_text("every kind of change")


async def add_machine(tab: Page) -> None:
    await tab.get_by_role("button", name=VENUE).click()
    await tab.get_by_label("Add a machine").fill(ADDED)
    await tab.get_by_label("Add a machine").press("Enter")
    await tab.get_by_role("button", name="Add", exact=True).click()
    await card(tab, VENUE, ADDED)


async def say_and_remove(tab: Page) -> None:
    await tab.get_by_role("button", name=f"Comment on {PRAISED}").click()
    await tab.get_by_role("textbox", name=f"Comment on {PRAISED}").fill("Freshly waxed, plays *fast*. Bring quarters!")
    await tab.get_by_role("button", name="Post comment").click()
    await card(tab, PRAISED, "plays *fast*")
    await tab.get_by_role("button", name=f"Remove {REMOVED}").click()
    await card(tab, REMOVED)


async def main(picture: Path) -> None:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(whole_sandbox())
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        tab = await browser.new_page(viewport=VIEWPORT, locale="en-US")
        await tab.goto(url)
        await watch_ground_kontrol(tab)
        await add_machine(tab)
        await say_and_remove(tab)
        await tab.mouse.move(0, 0)
        await tab.locator("#machines").evaluate("list => list.scrollTo(0, 0)")
        await tab.screenshot(path=picture)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
