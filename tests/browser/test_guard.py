"""Other web pages cannot drive the sandbox."""

import aiohttp
import pytest

from dispinmap_sandbox.page.guard import refusal
from tests.browser.conftest import Stage

HOST = "127.0.0.1:8000"


@pytest.mark.parametrize("host", [HOST, "localhost:8000", "[::1]:8000"])
def test_loopback_names_may_be_used(host: str) -> None:
    assert refusal("POST", host, f"http://{host}", "same-origin") is None


def test_a_script_without_origin_may_drive_the_page() -> None:
    assert refusal("POST", HOST, None, None) is None


@pytest.mark.parametrize("host", ["evil.example:8000", "127.0.0.1.evil.example", "", "10.0.0.1"])
def test_another_name_that_points_here_is_refused_even_for_reading(host: str) -> None:
    assert "127.0.0.1" in (refusal("GET", host, None, None) or "")


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:9999", "null"])
def test_another_origin_cannot_change_anything(origin: str) -> None:
    assert "Another web page" in (refusal("POST", HOST, origin, None) or "")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_the_browser_calls_foreign_cannot_change_anything(site: str) -> None:
    assert "Another web page" in (refusal("DELETE", HOST, None, site) or "")


@pytest.mark.asyncio(loop_scope="session")
async def test_the_server_asks_the_guard(stage: Stage) -> None:
    async with aiohttp.ClientSession() as session:
        foreign = {"Origin": "https://evil.example"}
        async with session.post(f"{stage.page.url}/api/clock", json={"seconds": 60}, headers=foreign) as answer:
            assert answer.status == 403
        async with session.get(stage.page.url, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
        async with session.post(f"{stage.page.url}/api/clock", json={"seconds": -1}) as answer:
            assert (answer.status, "seconds" in (await answer.json())["error"]) == (400, True)
        async with session.get(stage.page.url) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
