"""The geocoding client over real sockets."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from dispinmap.geocoding.client import GeocodingClient, _Later, _worth_retrying
from dispinmap.geocoding.models import GeocodingError, Place
from dispinmap.http import open_session, user_agent
from tests.fakes.clock import ManualClock
from tests.fakes.scripted_server import Scripted, ScriptedServer, scripted_server

OREGON = {
    "name": "Portland",
    "latitude": 45.5,
    "longitude": -122.6,
    "feature_code": "PPLA2",
    "country_code": "US",
    "country": "United States",
    "admin1": "Oregon",
    "population": 652503,
}
MAINE = OREGON | {"latitude": 43.6, "longitude": -70.2, "admin1": "Maine", "population": 66881}
PORTLANDS = Scripted({"results": [OREGON, MAINE], "generationtime_ms": 0.6})
NOTHING = Scripted({"generationtime_ms": 0.6})
PORTLAND = Place("Portland", 45.5, -122.6, "Oregon", "United States", "US", 652503)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as server:
        yield server


@pytest.fixture
async def client(server: ScriptedServer, clock: ManualClock) -> AsyncIterator[GeocodingClient]:
    async with open_session() as session:
        yield GeocodingClient(session, server.url + "/v1", clock)


@pytest.fixture
async def hasty(server: ScriptedServer, clock: ManualClock) -> AsyncIterator[GeocodingClient]:
    """A client that soon takes silence for no answer."""
    async with open_session(aiohttp.ClientTimeout(total=1)) as session:
        yield GeocodingClient(session, server.url, clock)


async def test_the_bare_name_is_asked_for_and_the_state_matched_here(
    client: GeocodingClient, server: ScriptedServer
) -> None:
    server.will_answer(PORTLANDS)
    assert await client.search("Portland, OR") == (PORTLAND,)
    (request,) = server.received
    assert (request.path, request.query) == (
        "/v1/search",
        {"name": "Portland", "count": "100", "language": "en", "format": "json"},
    )
    assert request.headers["User-Agent"] == user_agent()


async def test_a_bare_name_of_several_towns_brings_them_all(client: GeocodingClient, server: ScriptedServer) -> None:
    server.will_answer(PORTLANDS)
    assert [place.region for place in await client.search("Portland")] == ["Oregon", "Maine"]


async def test_a_state_after_a_blank_is_tried_if_the_whole_text_is_not_a_town(
    client: GeocodingClient, server: ScriptedServer
) -> None:
    server.will_answer(NOTHING, PORTLANDS)
    assert await client.search("Portland OR") == (PORTLAND,)
    assert [request.query["name"] for request in server.received] == ["Portland OR", "Portland"]


async def test_a_name_in_any_script_arrives_whole_and_a_hostile_one_cleaned(
    client: GeocodingClient, server: ScriptedServer
) -> None:
    server.will_answer(NOTHING)
    for text in ("München", "D’Iberville", "京都", "page=../../etc/passwd"):
        assert await client.search(text) == ()
    assert [request.query["name"] for request in server.received] == [
        "München",
        "D'Iberville",
        "京都",
        "page etc passwd",
    ]


@pytest.mark.parametrize("text", ["", " , OR", "%", "x"])
async def test_without_a_name_nothing_is_asked(client: GeocodingClient, server: ScriptedServer, text: str) -> None:
    assert await client.search(text) == ()
    assert server.received == []


@pytest.mark.parametrize(
    "trouble",
    [
        Scripted(status=429),
        Scripted(status=503, headers={"Retry-After": "3"}),
        Scripted(b'{"results": ['),
        Scripted(b'{"results": [', cut=True),
    ],
)
async def test_what_may_pass_is_asked_again(client: GeocodingClient, server: ScriptedServer, trouble: Scripted) -> None:
    server.will_answer(trouble, trouble, PORTLANDS)
    assert await client.search("Portland, OR") == (PORTLAND,)


async def test_what_never_answers_is_asked_three_times(hasty: GeocodingClient, server: ScriptedServer) -> None:
    server.will_answer(Scripted(hang=True), Scripted(hang=True), PORTLANDS)
    assert await hasty.search("Portland, OR") == (PORTLAND,)
    server.will_answer(Scripted(hang=True))
    with pytest.raises(GeocodingError, match="did not answer in time"):
        await hasty.search("Salem, OR")
    assert len(server.received) == 6


@pytest.mark.parametrize(
    ("trouble", "requests", "sentence"),
    [
        (Scripted({"error": True, "reason": "no"}, 400), 1, "does not understand this bot"),
        (Scripted([]), 1, "no list of places"),
        (Scripted(status=429, headers={"Retry-After": "600"}), 1, "overloaded"),
        (Scripted(status=302, headers={"Location": "https://example.org"}), 1, "HTTP 302"),
        (Scripted(status=502), 3, "overloaded"),
        (Scripted(b"<html>"), 3, "garbled"),
    ],
)
async def test_every_failure_is_one_error_with_its_own_sentence(
    client: GeocodingClient, server: ScriptedServer, trouble: Scripted, requests: int, sentence: str
) -> None:
    server.will_answer(trouble)
    with pytest.raises(GeocodingError, match=sentence):
        await client.search("Portland, OR")
    assert len(server.received) == requests


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (_Later(""), True),
        (_Later("", 0.0), True),
        (_Later("", 4.0), 4.0),
        (_Later("", 11.0), False),
        (KeyError(), False),
    ],
)
def test_the_wait_before_the_next_attempt_is_the_servers_or_the_back_offs(error: Exception, wait: float) -> None:
    assert _worth_retrying(error) == wait
