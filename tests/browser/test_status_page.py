"""The status page in a real browser: readable by everybody, on any screen, and without a complaint."""

from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from dispinmap.health import HealthReport, Starting
from tests.browser.status import status_page
from tests.fakes.reports import UNWELL, WELL

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
STANDBY = Starting("Another bot holds the lease: this one waits for it to stop.")
LEAST_CONTRAST = 4.5
"""https://www.w3.org/TR/WCAG22/#contrast-minimum"""

CONTRASTS = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const linear = (c) => (c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    const [r, g, b] = channels(color).map((c) => linear(c / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = (node) => {
    const color = getComputedStyle(node).backgroundColor;
    return channels(color)[3] === 0 && node.parentElement ? behind(node.parentElement) : color;
  };
  const texts = [...document.querySelectorAll("h1, h2, h3, p, dt, dd")];
  return texts.map((node) => {
    const [bright, dim] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a);
    return (bright + .05) / (dim + .05);
  });
}"""


@pytest.mark.parametrize("state", [WELL, UNWELL, STANDBY], ids=["well", "unwell", "standby"])
async def test_it_is_readable_in_either_scheme_on_a_phone_and_on_a_desk(
    browser: Browser, state: HealthReport | Starting
) -> None:
    complaints: list[str] = []
    async with status_page(state) as url, await browser.new_page() as tab:
        tab.on("console", lambda line: complaints.append(line.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        await tab.goto(url)
        for scheme in SCHEMES:
            await tab.emulate_media(color_scheme=scheme)
            assert min(await tab.evaluate(CONTRASTS)) >= LEAST_CONTRAST
        for width in (320, 1200):
            await tab.set_viewport_size({"width": width, "height": 800})
            assert await tab.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []


async def test_its_structure_tells_what_its_colours_tell(browser: Browser) -> None:
    async with status_page(UNWELL) as url, await browser.new_page() as tab:
        await tab.goto(url)
        await expect(tab).to_have_title("Something needs attention · DisPinMap")
        await expect(tab.get_by_role("heading", level=1)).to_have_text("Something needs attention")
        parts = tab.get_by_role("region", name="Parts").get_by_role("listitem")
        await expect(parts).to_have_count(7)
        await expect(parts.filter(has_text="Needs attention")).to_have_count(4)
        await expect(parts.filter(has=tab.get_by_role("heading", name="Database"))).to_contain_text("Working")
        numbers = tab.get_by_role("region", name="Numbers").get_by_role("definition")
        await expect(numbers.first).to_have_text("118 targets in 31 channels")
