"""The embedded Pinball Map, asked over a real socket, against what API.md and the captures say."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dispinmap_sandbox.errors import SandboxError
from dispinmap_sandbox.pinballmap_server import ADDRESS_LIMIT, BAN, TOKEN_LIMIT, PinballMapServer
from dispinmap_sandbox.world import World
from tests.fakes.clock import ManualClock

GROUND_KONTROL = 874
FEED = "user_submissions.json"
AT_LOCATION = "user_submissions/location.json"
IN_RANGE = "user_submissions/list_within_range.json"
PORTLAND = {"lat": "45.52345", "lon": "-122.67621"}
Params = Mapping[str, str] | Sequence[tuple[str, str]] | None


class Guest:
    """Asks one server."""

    def __init__(self, session: aiohttp.ClientSession, server: PinballMapServer) -> None:
        self._session = session
        self._server = server

    async def answer(
        self, path: str, params: Params = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, Mapping[str, str]]:
        async with self._session.get(f"{self._server.base_url}/{path}", params=params, headers=headers) as response:
            return response.status, await response.text(), response.headers

    async def json(self, path: str, params: Params = None) -> dict[str, Any]:
        status, text, headers = await self.answer(path, params)
        assert status == 200
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        answer: dict[str, Any] = json.loads(text)
        return answer

    async def rows(self, path: str, params: Params = None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.json(path, params))["user_submissions"]
        return rows


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(clock)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Hosts:
    """Starts servers, and stops them after the test."""

    def __init__(self, session: aiohttp.ClientSession, stack: AsyncExitStack) -> None:
        self._session = session
        self._stack = stack

    async def start(self, server: PinballMapServer) -> Guest:
        await server.start()
        self._stack.push_async_callback(server.stop)
        return Guest(self._session, server)


@pytest.fixture
async def hosts(session: aiohttp.ClientSession) -> AsyncIterator[Hosts]:
    async with AsyncExitStack() as stack:
        yield Hosts(session, stack)


@pytest.fixture
def server(world: World, clock: ManualClock) -> PinballMapServer:
    return PinballMapServer(world, clock)


@pytest.fixture
async def guest(hosts: Hosts, server: PinballMapServer) -> Guest:
    return await hosts.start(server)


async def test_the_feed_is_the_newest_200_newest_first(guest: Guest) -> None:
    rows = await guest.rows(FEED)
    assert [row["id"] for row in rows] == list(range(680_000, 679_800, -1))
    assert rows == sorted(rows, key=lambda row: row["created_at"], reverse=True)


async def test_a_new_submission_leads_the_feed(guest: Guest, world: World) -> None:
    row = world.add_machine(GROUND_KONTROL, 1067, "nudge_nora")
    newest = (await guest.rows(FEED))[0]
    assert newest["id"] == row.id == 680_001
    assert newest["submission"] == (
        "Mystery Castle (Alvin G, 1993) was added to Ground Kontrol Classic Arcade in Portland by nudge_nora"
    )
    assert newest["created_at"] == "2026-03-01T04:00:00.000-08:00"
    assert (newest["lat"], newest["lon"]) == (45.5240826, -122.675826)


async def test_pages_follow_each_other_without_gap_or_overlap(guest: Guest) -> None:
    ids: list[int] = []
    page: int | None = 1
    while page is not None:
        answer = await guest.json(FEED, {"limit": "50", "page": str(page)})
        ids += [row["id"] for row in answer["user_submissions"]]
        assert answer["pagy"]["count"] == 240
        assert answer["pagy"]["last"] == 5
        page = answer["pagy"]["next"]
    assert ids == list(range(680_000, 679_760, -1))


async def test_a_limit_is_cut_to_50_and_a_page_past_the_last_says_nothing(guest: Guest) -> None:
    assert len(await guest.rows(FEED, {"limit": "500"})) == 50
    assert len(await guest.rows(FEED, {"limit": "7"})) == 7
    assert await guest.json(FEED, {"limit": "50", "page": "6"}) == {"errors": "No user submissions."}


async def test_a_page_without_a_limit_is_ignored(guest: Guest) -> None:
    assert len(await guest.rows(FEED, {"page": "2"})) == 200


async def test_types_machines_and_users_filter(guest: Guest) -> None:
    kinds = [("submission_type[]", "new_lmx"), ("submission_type[]", "remove_machine")]
    assert {row["submission_type"] for row in await guest.rows(FEED, kinds)} == {"new_lmx", "remove_machine"}
    assert {row["machine_id"] for row in await guest.rows(FEED, [("machine_id[]", "641")])} == {641}
    assert {row["user_id"] for row in await guest.rows(FEED, {"user_id": "90001"})} == {90_001}


async def test_types_that_are_not_default_come_on_request_only(guest: Guest, world: World) -> None:
    row = replace(world.confirm(GROUND_KONTROL), id=world.reserve_id(), submission_type="new_picture")
    world.inject([row.payload()])
    assert row.id not in {shown["id"] for shown in await guest.rows(FEED)}
    assert [shown["id"] for shown in await guest.rows(FEED, {"submission_type[]": "new_picture"})] == [row.id]


async def test_unknown_types_and_malformed_rows_are_served_as_they_were_injected(guest: Guest, world: World) -> None:
    odd: list[object] = [{"id": 1, "submission_type": "brand_new"}, {"id": "x", "created_at": 5}, "no row", None]
    world.inject(odd)
    shown = (await guest.json(FEED))["user_submissions"]
    assert all(row in shown for row in odd)


async def test_a_closed_location_is_reported_to_those_who_ask_for_it(guest: Guest, world: World) -> None:
    closed = world.close_location(GROUND_KONTROL)
    shown = {row["id"] for row in await guest.rows(FEED)}
    assert closed.id not in shown
    assert closed.id - 1 in shown  # its last machine
    assert [row["id"] for row in await guest.rows(FEED, {"submission_type[]": "delete_location"})] == [closed.id]


async def test_a_type_that_nobody_knows_comes_unless_types_are_named(guest: Guest, world: World) -> None:
    row = world.report_unknown(GROUND_KONTROL, "Something new happened.")
    shown = (await guest.rows(FEED))[0]
    assert (shown["id"], shown["submission"]) == (row.id, "Something new happened.")
    assert row.id not in {each["id"] for each in await guest.rows(FEED, {"submission_type[]": "new_lmx"})}


async def test_a_row_with_a_lower_id_can_become_visible_later(guest: Guest, world: World) -> None:
    late_id = world.reserve_id()
    row = world.confirm(GROUND_KONTROL)
    assert (await guest.rows(FEED))[0]["id"] == row.id
    world.inject([replace(row, id=late_id)])
    assert {late_id, row.id} <= {shown["id"] for shown in await guest.rows(AT_LOCATION, {"id": "874"})}


async def test_a_deleted_submission_vanishes_from_every_answer(guest: Guest, world: World) -> None:
    row = world.confirm(GROUND_KONTROL)
    world.delete_submission(row.id)
    for path, params in ((FEED, {}), (AT_LOCATION, {"id": "874"}), (IN_RANGE, PORTLAND)):
        assert row.id not in {shown["id"] for shown in await guest.rows(path, params)}


async def test_one_location_has_its_own_submissions(guest: Guest) -> None:
    rows = await guest.rows(AT_LOCATION, {"id": "874"})
    assert {row["location_id"] for row in rows} == {GROUND_KONTROL}
    assert len(rows) >= 5


@pytest.mark.parametrize(
    ("path", "params", "text"),
    [
        (FEED, {}, "No user submissions."),
        (AT_LOCATION, {"id": "874"}, "No user submissions for this location."),
        (AT_LOCATION, {"id": "999999"}, "Failed to find location"),
        (AT_LOCATION, {"id": "abc"}, "Failed to find location"),
        (AT_LOCATION, {}, "Failed to find location"),
        (IN_RANGE, PORTLAND, "No user submissions found within radius."),
        (IN_RANGE, {}, "No user submissions found within radius."),
        ("locations/999999.json", {}, "Failed to find location"),
        ("locations/abc.json", {}, "Failed to find location"),
        ("locations/closest_by_lat_lon.json", {"lat": "0", "lon": "0"}, "No locations within 50 miles."),
        (
            "locations.json",
            {},
            "Filtering is required for this action. Please provide a filter when using this endpoint.",
        ),
    ],
)
async def test_nothing_looks_like_success(
    hosts: Hosts, clock: ManualClock, path: str, params: dict[str, str], text: str
) -> None:
    guest = await hosts.start(PinballMapServer(World(clock, history=0), clock))
    assert await guest.json(path, params) == {"errors": text}


async def test_the_range_is_in_miles_and_30_by_default(guest: Guest) -> None:
    seattle = {"lat": "47.60621", "lon": "-122.33207"}
    default = {row["city_name"] for row in await guest.rows(IN_RANGE, seattle)}
    assert default == {"Seattle", "Vashon", "Tacoma", "Sumner"}
    assert {row["city_name"] for row in await guest.rows(IN_RANGE, {**seattle, "max_distance": "9"})} == {"Seattle"}
    wide = await guest.rows(IN_RANGE, {**seattle, "max_distance": "150"})
    assert "Portland" in {row["city_name"] for row in wide}


async def test_the_range_is_cut_to_250_miles(guest: Guest) -> None:
    far = {"lat": "49.3", "lon": "-122.67621", "max_distance": "3000"}
    assert not {row["city_name"] for row in await guest.rows(IN_RANGE, far)} & {"Brooklyn", "New York"}


async def test_a_fraction_of_a_mile_is_ignored_as_the_real_server_does(guest: Guest, world: World) -> None:
    world.confirm(GROUND_KONTROL)
    near = {"lat": "45.5240826", "lon": "-122.6965"}
    assert await guest.rows(IN_RANGE, {**near, "max_distance": "2"})
    assert "errors" in await guest.json(IN_RANGE, {**near, "max_distance": "0.99"})


async def test_the_first_day_is_a_whole_pacific_day(guest: Guest, world: World, clock: ManualClock) -> None:
    clock.advance(timedelta(hours=19, minutes=59).total_seconds())
    evening = world.confirm(GROUND_KONTROL)
    clock.advance(60)
    midnight = world.confirm(GROUND_KONTROL)
    rows = await guest.rows(IN_RANGE, {**PORTLAND, "min_date_of_submission": "2026-03-02"})
    assert [row["id"] for row in rows] == [midnight.id]
    assert evening.id in {row["id"] for row in await guest.rows(IN_RANGE, PORTLAND)}


async def test_a_date_that_is_none_is_a_server_error_in_html(guest: Guest) -> None:
    status, text, headers = await guest.answer(IN_RANGE, {**PORTLAND, "min_date_of_submission": "soon"})
    assert status == 500
    assert "<h1>" in text
    assert headers["Content-Type"].startswith("text/html")


async def test_locations_are_found_by_a_part_of_the_name_in_any_case(guest: Guest) -> None:
    found = (await guest.json("locations.json", {"by_location_name": "BARCADE"}))["locations"]
    assert [(place["id"], place["name"]) for place in found] == [(10330, "Barcade"), (9007, "Barcade Brooklyn")]
    assert len(found[0]["location_machine_xrefs"]) == found[0]["machine_count"] == 7
    assert await guest.json("locations.json", {"by_location_name": "zzz"}) == {"locations": []}


async def test_no_details_leaves_machines_and_times_out_of_a_search(guest: Guest) -> None:
    found = await guest.json("locations.json", {"by_location_name": "ground", "no_details": "1"})
    assert "location_machine_xrefs" not in found["locations"][0]
    assert "updated_at" not in found["locations"][0]
    assert found["locations"][0]["lat"] == "45.5240826"


async def test_autocomplete_wants_three_letters(guest: Guest) -> None:
    _, found, _ = await guest.answer("locations/autocomplete.json", {"name": "kontr"})
    assert json.loads(found) == [
        {
            "label": "Ground Kontrol Classic Arcade (Portland, OR)",
            "value": "Ground Kontrol Classic Arcade",
            "id": 874,
        }
    ]
    assert (await guest.answer("locations/autocomplete.json", {"name": "gr"}))[1] == "[]"


async def test_details_come_in_three_depths(guest: Guest) -> None:
    full = await guest.json("locations/874.json")
    plain = await guest.json("locations/874.json", {"no_details": "1"})
    bare = await guest.json("locations/874.json", {"metadata_only": "1"})
    assert full["num_machines"] == len(full["location_machine_xrefs"]) == 12
    assert any(xref["machine_conditions"] for xref in full["location_machine_xrefs"])
    assert all("machine_conditions" not in xref for xref in plain["location_machine_xrefs"])
    assert "location_machine_xrefs" not in bare


async def test_a_machine_that_comes_back_has_no_comments(guest: Guest, world: World, clock: ManualClock) -> None:
    async def said() -> list[str]:
        xrefs = (await guest.json("locations/874.json"))["location_machine_xrefs"]
        return [row["comment"] for xref in xrefs if xref["machine_id"] == 641 for row in xref["machine_conditions"]]

    world.comment(GROUND_KONTROL, 641, "The left flipper sticks.")
    assert (await said())[0] == "The left flipper sticks."
    clock.advance(60)
    world.remove_machine(GROUND_KONTROL, 641)
    world.add_machine(GROUND_KONTROL, 641)
    assert await said() == []


async def test_the_closest_location_is_one_or_all_by_distance(guest: Guest) -> None:
    path = "locations/closest_by_lat_lon.json"
    here = {"lat": "47.66", "lon": "-122.36475"}
    assert (await guest.json(path, here))["location"]["name"] == "The Ice Box"
    everything = (await guest.json(path, {**here, "send_all_within_distance": "1", "max_distance": "10"}))["locations"]
    assert [place["name"] for place in everything[:2]] == ["The Ice Box", "4Bs Tavern"]
    assert "Monster Bash (Williams, 1998)" not in everything[0]["machine_names"]


async def test_the_catalogue_has_maker_and_year_apart(guest: Guest) -> None:
    machines = (await guest.json("machines.json", {"no_details": "1"}))["machines"]
    assert len(machines) == 106
    assert machines[0] == {"id": 641, "name": "Monster Bash", "manufacturer": "Williams", "year": 1998}


async def test_every_row_has_the_shape_of_a_captured_one(guest: Guest, captures: Path) -> None:
    captured = _shape(json.loads((captures / "location_874_recent.json").read_text())["user_submissions"])
    ours = _shape(await guest.rows(FEED))
    assert list(ours)[: len(captured)] == list(captured)
    assert {key: ours[key] - captured[key] for key in captured if ours[key] - captured[key]} == {}


@pytest.mark.parametrize("name", ["location_874_details", "search_ground_kontrol_single_result"])
async def test_locations_have_the_shape_of_captured_ones(guest: Guest, captures: Path, name: str) -> None:
    answer = json.loads((captures / f"{name}.json").read_text())
    captured = _shape(answer.get("locations", [answer]))
    ours = _shape([await guest.json("locations/874.json")])
    assert captured.keys() <= ours.keys()
    assert all(ours[key] <= captured[key] | {"NoneType"} for key in captured)


async def test_machines_at_a_location_have_the_shape_of_captured_ones(guest: Guest, captures: Path) -> None:
    captured = json.loads((captures / "location_874_details.json").read_text())["location_machine_xrefs"]
    ours = (await guest.json("locations/874.json"))["location_machine_xrefs"]
    assert _shape(ours).keys() == _shape(captured).keys()
    said = _shape([row for xref in ours for row in xref["machine_conditions"]])
    captured_said = _shape([row for xref in captured for row in xref["machine_conditions"]])
    assert list(said) == list(captured_said)
    assert all(said[key] <= captured_said[key] for key in said)


def _shape(rows: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The fields in order, and the types they have."""
    return {key: {type(row[key]).__name__ for row in rows if key in row} for key in rows[0]}


async def test_with_the_gate_on_only_the_token_gets_in(hosts: Hosts, world: World, clock: ManualClock) -> None:
    guest = await hosts.start(PinballMapServer(world, clock, token="made-up"))
    status, text, _ = await guest.answer(FEED)
    assert status == 401
    assert "https://pinballmap.com/api_token" in json.loads(text)["error"]
    assert (await guest.answer(FEED, headers={"X-Api-Token": "other"}))[0] == 401
    assert (await guest.answer(FEED, headers={"X-Api-Token": "made-up"}))[0] == 200
    assert (await guest.answer(FEED, {"api_token": "made-up"}))[0] == 200
    statuses = [(await guest.answer("machines.json", {"api_token": "made-up"}))[0] for _ in range(TOKEN_LIMIT - 1)]
    assert statuses == [200] * (TOKEN_LIMIT - 2) + [429]


async def test_past_the_limit_is_429_until_the_next_minute(guest: Guest, clock: ManualClock) -> None:
    path = "locations/999999.json"
    assert {(await guest.answer(path))[0] for _ in range(ADDRESS_LIMIT)} == {200}
    assert (await guest.answer(path))[0] == 429
    clock.advance(60)
    assert (await guest.answer(path))[0] == 200


@pytest.mark.parametrize("text", ["page=x", "../../etc/passwd", "sleep(5)", "index.php", "page=&"])
async def test_a_query_that_looks_like_a_break_in_bans_its_address_for_hours(
    guest: Guest, clock: ManualClock, text: str
) -> None:
    assert (await guest.answer("locations/autocomplete.json", {"name": text}))[0] == 403
    clock.advance((BAN - timedelta(minutes=1)).total_seconds())
    assert (await guest.answer(FEED))[0] == 403
    clock.advance(60)
    assert (await guest.answer(FEED))[0] == 200


async def test_a_ban_can_be_lifted(guest: Guest, server: PinballMapServer) -> None:
    await guest.answer(FEED, {"q": "sleep("})
    server.forgive()
    assert (await guest.answer(FEED, {"limit": "5", "page": "2"}))[0] == 200


async def test_an_unchanged_answer_is_304_where_etags_are_on(hosts: Hosts, world: World, clock: ManualClock) -> None:
    guest = await hosts.start(PinballMapServer(world, clock, etags=True))
    known = {"If-None-Match": (await guest.answer(FEED))[2]["ETag"]}
    assert (await guest.answer(FEED, headers=known))[:2] == (304, "")
    world.confirm(GROUND_KONTROL)
    assert (await guest.answer(FEED, headers=known))[0] == 200


async def test_every_request_is_counted_and_logged(guest: Guest, server: PinballMapServer, clock: ManualClock) -> None:
    await guest.answer(FEED, {"limit": "5"}, headers={"User-Agent": "tests"})
    await guest.answer("locations/874.json")
    await guest.answer("locations/875.json")
    assert server.requests == {FEED: 1, "locations/:id.json": 2}
    assert server.log[0] == (clock.now(), FEED, "limit=5", "tests")


async def test_arranged_failures_come_in_turn_and_are_then_over(guest: Guest, server: PinballMapServer) -> None:
    server.faults.fail("user_submissions*", 429, headers={"Retry-After": "7"}, body="Retry later\n")
    server.faults.fail("user_submissions*", 500, times=2)
    assert (await guest.answer("machines.json"))[0] == 200
    status, text, headers = await guest.answer(FEED)
    assert (status, text, headers["Retry-After"]) == (429, "Retry later\n", "7")
    status, text, headers = await guest.answer(AT_LOCATION, {"id": "874"})
    assert (status, headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "<h1>" in text
    assert [(await guest.answer(FEED))[0] for _ in range(2)] == [500, 200]


async def test_a_failure_without_number_of_times_lasts_until_it_is_cleared(
    guest: Guest, server: PinballMapServer
) -> None:
    server.faults.fail("*", 503, times=None)
    assert {(await guest.answer(FEED))[0] for _ in range(3)} == {503}
    server.faults.clear()
    assert (await guest.answer(FEED))[0] == 200


async def test_a_truncated_answer_is_no_json(guest: Guest, server: PinballMapServer) -> None:
    server.faults.truncate(FEED)
    status, text, _ = await guest.answer(FEED)
    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


async def test_a_connection_can_end_in_the_middle_of_an_answer(guest: Guest, server: PinballMapServer) -> None:
    server.faults.cut(FEED)
    with pytest.raises(aiohttp.ClientPayloadError):
        await guest.answer(FEED)


async def test_a_request_can_hang_until_it_is_released(guest: Guest, server: PinballMapServer) -> None:
    server.faults.hang(FEED)
    hanging = asyncio.ensure_future(guest.answer(FEED))
    assert (await guest.answer("machines.json"))[0] == 200
    while server.requests[FEED] == 0:
        await guest.answer("machines.json")
    assert not hanging.done()
    server.faults.release()
    assert (await hanging)[0] == 200


async def test_the_server_stops_by_itself_while_a_request_hangs(guest: Guest, server: PinballMapServer) -> None:
    server.faults.hang(FEED)
    hanging = asyncio.ensure_future(guest.answer(FEED))
    while server.requests[FEED] == 0:
        await guest.answer("machines.json")
    await server.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await hanging


async def test_a_server_that_is_down_refuses_and_comes_back_on_the_same_port(
    guest: Guest, server: PinballMapServer
) -> None:
    address = server.base_url
    assert (await guest.answer(FEED))[0] == 200
    await server.down()
    with pytest.raises(aiohttp.ClientConnectorError):
        await guest.answer(FEED)
    await server.up()
    assert server.base_url == address
    assert (await guest.answer(FEED))[0] == 200


async def test_a_port_that_is_taken_is_said_so(server: PinballMapServer, guest: Guest, clock: ManualClock) -> None:
    assert (await guest.answer(FEED))[0] == 200
    port = int(server.base_url.split(":")[2].split("/")[0])
    with pytest.raises(SandboxError, match=f"cannot listen on 127.0.0.1:{port}"):
        await PinballMapServer(World(clock, history=0), clock).start(port=port)


def test_there_is_no_address_before_the_start(server: PinballMapServer) -> None:
    with pytest.raises(SandboxError, match="start it first"):
        server.base_url  # noqa: B018 - asking is the test


async def test_an_unknown_path_is_404(guest: Guest) -> None:
    assert (await guest.answer("nowhere.json"))[0] == 404
