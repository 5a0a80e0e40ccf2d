"""The bot's own clients understand the embedded servers as they do the real ones."""

from collections.abc import AsyncIterator
from datetime import date

import pytest
import stamina

from dispinmap import http
from dispinmap.geocoding.client import GeocodingClient
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.errors import Malformed, Unauthorized
from dispinmap.pinballmap.models import Nothing, Rows
from dispinmap_sandbox.geocoder_server import GeocoderServer
from dispinmap_sandbox.pinballmap_server import PinballMapServer
from dispinmap_sandbox.submissions import SubmissionRow
from dispinmap_sandbox.world import World
from tests.fakes.clock import ManualClock

GROUND_KONTROL = 874


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(clock)


@pytest.fixture
async def server(world: World, clock: ManualClock) -> AsyncIterator[PinballMapServer]:
    server = PinballMapServer(world, clock, token="made-up", etags=True)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(server: PinballMapServer, clock: ManualClock) -> AsyncIterator[PinballMapClient]:
    async with http.open_session() as session:
        yield PinballMapClient(session, server.base_url, "made-up", clock, requests_per_minute=6000)


@pytest.fixture
async def geocoder(clock: ManualClock) -> AsyncIterator[GeocodingClient]:
    server = GeocoderServer(clock)
    await server.start()
    async with http.open_session() as session:
        yield GeocodingClient(session, server.base_url, clock)
    await server.stop()


async def test_every_row_of_the_feed_parses_to_what_the_world_knows(client: PinballMapClient, world: World) -> None:
    world.comment(GROUND_KONTROL, 641, "The “left” flipper *sticks* 🎉")
    answer = await client.feed()
    assert isinstance(answer, Rows)
    assert answer.malformed == 0
    assert [_facts(row) for row in world.submissions[:200]] == [
        (row.id, row.type, row.created_at, row.location_id, row.machine_name, row.user_name, row.comment)
        for row in answer.submissions
    ]


async def test_an_unchanged_feed_is_asked_for_conditionally(client: PinballMapClient, world: World) -> None:
    first = await client.feed()
    assert await client.feed() == first
    assert client.requests == {"ok": 1, "not_modified": 1}
    world.confirm(GROUND_KONTROL)
    assert await client.feed() != first


async def test_pages_reach_the_end_of_the_past(client: PinballMapClient, world: World) -> None:
    pages = [await client.feed(page=page) for page in range(1, 7)]
    ids = [row.id for page in pages if isinstance(page, Rows) for row in page.submissions]
    assert ids == [row.id for row in world.submissions]
    assert pages[-1] == Nothing("No user submissions.")


async def test_a_location_and_an_area_have_their_submissions(client: PinballMapClient) -> None:
    here = await client.submissions_at(GROUND_KONTROL)
    around = await client.submissions_near(45.52345, -122.67621, 0.5, since=date(2026, 2, 1))
    assert isinstance(here, Rows)
    assert here == around


async def test_locations_are_found_by_id_name_and_letters(client: PinballMapClient) -> None:
    found = await client.location(GROUND_KONTROL)
    assert found is not None
    assert (found.name, found.machine_count) == ("Ground Kontrol Classic Arcade", 12)
    assert (found.latitude, found.longitude) == (45.5240826, -122.675826)
    assert await client.location(999999) is None
    assert [place.name for place in await client.search_locations("barcade")] == ["Barcade", "Barcade Brooklyn"]
    assert [hint.id for hint in await client.autocomplete("ground")] == [GROUND_KONTROL]


async def test_whatever_people_type_the_client_is_not_banned(client: PinballMapClient) -> None:
    for text in ("page=abc", "../../etc/passwd", "sleep(10)", "wp-login.php", "Purdy's Craft House & Arcade"):
        found = await client.search_locations(text)
    assert [place.name for place in found] == ["Purdy's Craft House & Arcade"]


async def test_malformed_rows_cost_nothing_but_themselves(client: PinballMapClient, world: World) -> None:
    world.inject([{"id": "x"}, "no row", {"id": 5, "submission_type": "brand_new", "created_at": "2026-03-01T00:00Z"}])
    answer = await client.feed()
    assert isinstance(answer, Rows)
    assert answer.malformed == client.malformed_rows == 2
    assert "brand_new" in {row.type for row in answer.submissions}


async def test_faults_arrive_as_the_errors_they_stand_for(client: PinballMapClient, server: PinballMapServer) -> None:
    server.faults.truncate("user_submissions.json", times=2)
    with stamina.set_testing(True, attempts=2), pytest.raises(Malformed):
        await client.feed()
    server.faults.fail("*", 401)
    with pytest.raises(Unauthorized):
        await client.feed()
    assert isinstance(await client.feed(), Rows)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Portland, OR", ["Portland, Oregon, United States"]),
        ("Coeur d'Alene", ["Coeur d'Alene, Idaho, United States"]),
        ("München", ["Munich, Bavaria, Germany"]),
        ("Birmingham, UK", ["Birmingham, England, United Kingdom"]),
        ("Vancouver, WA", ["Vancouver, Washington, United States"]),
        ("Nowhereville", []),
    ],
)
async def test_the_geocoder_finds_what_people_mean(geocoder: GeocodingClient, text: str, labels: list[str]) -> None:
    assert [place.label for place in await geocoder.search(text)] == labels


async def test_an_ambiguous_name_has_several_places(geocoder: GeocodingClient) -> None:
    assert len(await geocoder.search("Springfield")) == 5


def _facts(row: SubmissionRow) -> tuple[object, ...]:
    machine = row.machine.name if row.machine else None
    # Pinball Map keeps milliseconds only.
    moment = row.created_at.replace(microsecond=row.created_at.microsecond // 1000 * 1000)
    return row.id, row.submission_type, moment, row.venue.id, machine, row.user.name, row.comment
