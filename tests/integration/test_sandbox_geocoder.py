"""The embedded geocoder, asked over a real socket, against what API.md and the captures say."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dispinmap_sandbox.geocoder_server import GeocoderServer
from dispinmap_sandbox.world import World
from tests.fakes.clock import ManualClock


class Guest:
    """Asks for places."""

    def __init__(self, session: aiohttp.ClientSession, server: GeocoderServer) -> None:
        self._session = session
        self._server = server

    async def answer(self, **params: str) -> dict[str, Any]:
        async with self._session.get(f"{self._server.base_url}/search", params=params) as response:
            answer: dict[str, Any] = await response.json()
            return answer

    async def places(self, name: str) -> list[dict[str, Any]]:
        return list((await self.answer(name=name, count="10", format="json"))["results"])


@pytest.fixture
async def guest(clock: ManualClock) -> AsyncIterator[Guest]:
    server = GeocoderServer(clock)
    await server.start()
    async with aiohttp.ClientSession() as session:
        yield Guest(session, server)
    await server.stop()


async def test_a_name_finds_its_places_the_largest_first(guest: Guest) -> None:
    found = await guest.places("Springfield")
    assert [place["admin1"] for place in found] == ["Missouri", "Massachusetts", "Illinois", "Oregon", "Ohio"]
    assert {place["country_code"] for place in found} == {"US"}


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Portland", ("Portland", "Oregon", "United States")),
        ("portland", ("Portland", "Oregon", "United States")),
        ("München", ("Munich", "Bavaria", "Germany")),
        ("munchen", ("Munich", "Bavaria", "Germany")),
        ("Munich", ("Munich", "Bavaria", "Germany")),
        ("Wien", ("Vienna", "Vienna", "Austria")),
        ("Coeur d'Alene", ("Coeur d'Alene", "Idaho", "United States")),
        ("Coeur d’Alene", ("Coeur d'Alene", "Idaho", "United States")),
        ("Birmingham", ("Birmingham", "England", "United Kingdom")),
        ("Sao Paulo", ("São Paulo", "São Paulo", "Brazil")),
        ("Vancouv", ("Vancouver", "British Columbia", "Canada")),
    ],
)
async def test_case_accents_and_local_names_do_not_matter(guest: Guest, name: str, first: tuple[str, ...]) -> None:
    place = (await guest.places(name))[0]
    assert (place["name"], place["admin1"], place["country"]) == first


async def test_a_place_can_be_found_by_a_name_it_does_not_show(guest: Guest) -> None:
    assert "Sandusky" in {place["name"] for place in await guest.places("Portland")}


@pytest.mark.parametrize("name", ["Nowhereville", "Portland, OR", "Por" + "x" * 300, "Po", ""])
async def test_without_a_match_there_is_no_results_key_at_all(guest: Guest, name: str) -> None:
    assert list(await guest.answer(name=name, count="10", format="json")) == ["generationtime_ms"]


async def test_count_cuts_the_answer(guest: Guest) -> None:
    assert len((await guest.answer(name="Portland", count="2"))["results"]) == 2


@pytest.mark.parametrize("params", [{}, {"name": "Portland", "count": "0"}, {"name": "Portland", "count": "many"}])
async def test_a_wrong_question_is_an_error_with_a_reason(guest: Guest, params: dict[str, str]) -> None:
    answer = await guest.answer(**params)
    assert answer["error"] is True
    assert answer["reason"].startswith("Parameter")


async def test_every_city_of_the_world_is_known_near_its_venues(guest: Guest, clock: ManualClock) -> None:
    for location in World(clock, history=0).locations:
        found = await guest.places(location.city)
        near = [place for place in found if abs(place["latitude"] - location.latitude) < 0.3]
        assert any(abs(place["longitude"] - location.longitude) < 0.3 for place in near), location.city


async def test_a_place_has_the_shape_of_a_captured_one(guest: Guest, captures: Path) -> None:
    captured = json.loads((captures / "city_portland_or.json").read_text())
    answer = await guest.answer(name="Portland", count="10", format="json")
    place, real = answer["results"][0], captured["results"][0]
    assert answer.keys() == captured.keys()
    assert all(type(place[key]) is type(real[key]) for key in place)
    assert [place[key] for key in ("name", "latitude", "longitude", "admin1", "country_code")] == [
        real[key] for key in ("name", "latitude", "longitude", "admin1", "country_code")
    ]
