"""The status page of a bot in a given state. Also makes the guide's picture of it.

`python -m tests.browser.status docs/images/status-page.png` makes the picture again.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import ViewportSize, async_playwright

from dispinmap.health import HealthReport, Starting
from dispinmap.web.server import WebServer
from tests.browser.chromium import CHROMIUM, CHROMIUM_OPTIONS
from tests.fakes.reports import WELL

VIEWPORT = ViewportSize(width=1100, height=830)


@asynccontextmanager
async def status_page(state: HealthReport | Starting) -> AsyncIterator[str]:
    """The page's address, until the block ends."""

    async def report() -> HealthReport | Starting:
        return state

    web = WebServer(report)
    port = await web.start("127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await web.stop()


async def main(picture: Path) -> None:
    async with status_page(WELL) as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        tab = await browser.new_page(viewport=VIEWPORT, color_scheme="dark")
        await tab.goto(url)
        await tab.screenshot(path=picture, full_page=True)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
