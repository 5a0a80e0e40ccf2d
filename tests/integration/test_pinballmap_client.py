"""The Pinball Map client over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qsl, unquote_plus

import aiohttp
import pytest
import structlog

from dispinmap.http import MAX_BODY_BYTES, open_session, user_agent
from dispinmap.pinballmap.client import MAX_WAIT_SECONDS, PinballMapClient, _worth_retrying
from dispinmap.pinballmap.errors import Garbled, Limited, Malformed, PinballMapError, Unauthorized, Unavailable
from dispinmap.pinballmap.models import Location, LocationHint, Nothing, Rows
from tests.fakes.clock import ManualClock
from tests.fakes.scripted_server import Scripted, ScriptedServer, scripted_server

TOKEN = "made-up-token-6021"
ROW = {"id": 1, "submission_type": "new_lmx", "created_at": "2026-02-01T09:00:00-08:00", "location_id": 5}
PAGE = Scripted({"user_submissions": [ROW]})
HTML = Scripted(b"<html><h1>We'll be right back</h1></html>", headers={"Content-Type": "text/html"})


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


@pytest.fixture
def client(server: ScriptedServer, session: aiohttp.ClientSession, clock: ManualClock) -> PinballMapClient:
    return PinballMapClient(session, server.url + "/api/v1/", TOKEN, clock, requests_per_minute=60_000)


async def test_the_newest_rows_are_one_request_that_says_who_asks(
    client: PinballMapClient, server: ScriptedServer
) -> None:
    server.will_answer(PAGE)
    rows = await client.feed()
    assert isinstance(rows, Rows)
    assert [row.id for row in rows.submissions] == [1]
    (request,) = server.received
    assert (request.path, request.raw_query) == ("/api/v1/user_submissions.json", "")
    assert request.headers["User-Agent"] == user_agent()
    assert request.headers["X-Api-Token"] == TOKEN
    assert client.requests == {"ok": 1}


async def test_without_a_token_no_token_header_is_sent(
    server: ScriptedServer, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    server.will_answer(PAGE)
    await PinballMapClient(session, server.url, None, clock).feed()
    assert "X-Api-Token" not in server.received[0].headers


async def test_paging_asks_for_50_rows_a_page(client: PinballMapClient, server: ScriptedServer) -> None:
    server.will_answer(PAGE)
    await client.feed(page=3)
    assert server.received[0].query == {"limit": "50", "page": "3"}


async def test_a_location_and_an_area_are_asked_for_by_id_and_by_whole_miles(
    client: PinballMapClient, server: ScriptedServer
) -> None:
    server.will_answer(PAGE)
    await client.submissions_at(874)
    await client.submissions_near(45.5, -0.00001, 12.3, since=date(2026, 2, 1))
    await client.submissions_near(0, 0, 4000)
    assert [request.path for request in server.received[:2]] == [
        "/api/v1/user_submissions/location.json",
        "/api/v1/user_submissions/list_within_range.json",
    ]
    assert [request.query for request in server.received] == [
        {"id": "874"},
        {"lat": "45.500000", "lon": "-0.000010", "max_distance": "13", "min_date_of_submission": "2026-02-01"},
        {"lat": "0.000000", "lon": "0.000000", "max_distance": "250"},
    ]


async def test_nothing_there_is_an_answer_and_counted_as_one(client: PinballMapClient, server: ScriptedServer) -> None:
    server.will_answer(Scripted({"errors": "No user submissions for this location."}))
    assert await client.submissions_at(5) == Nothing("No user submissions for this location.")
    assert client.requests == {"nothing": 1}


async def test_a_row_that_cannot_be_read_is_left_out_and_reported_once_without_its_contents(
    client: PinballMapClient, server: ScriptedServer
) -> None:
    odd = {"id": 77, "submission_type": "new_condition", "created_at": None, "comment": "private words"}
    server.will_answer(Scripted({"user_submissions": [odd, ROW]}))
    with structlog.testing.capture_logs() as logs:
        first = await client.feed()
        assert await client.feed() == first
    assert isinstance(first, Rows)
    assert (len(first.submissions), first.malformed, client.malformed_rows) == (1, 1, 1)
    assert logs == [{"event": "pinballmap_row_malformed", "id": 77, "fields": ("created_at",), "log_level": "warning"}]


async def test_a_location_is_found_by_id_or_is_none(client: PinballMapClient, server: ScriptedServer) -> None:
    server.will_answer(
        Scripted({"id": 5, "name": "Flip", "lat": "1.5"}), Scripted({"errors": "Failed to find location"})
    )
    assert await client.location(5) == Location(5, "Flip")
    assert await client.location(999999) is None
    assert server.received[0].path == "/api/v1/locations/5.json"
    assert client.requests == {"ok": 1, "nothing": 1}


async def test_a_search_sends_the_cleaned_name_and_wants_no_details(
    client: PinballMapClient, server: ScriptedServer
) -> None:
    server.will_answer(Scripted({"locations": [{"id": 5, "name": "Dave & Buster's"}]}), Scripted({"locations": []}))
    assert await client.search_locations("Dave & Buster’s page=../etc/passwd") == (Location(5, "Dave & Buster's"),)
    assert await client.search_locations("Nowhere") == ()
    assert server.received[0].query == {"by_location_name": "Dave & Buster's page etc passwd", "no_details": "1"}
    assert unquote_plus(server.received[0].raw_query).count("&") == 2


async def test_autocomplete_suggests_from_three_letters_on(client: PinballMapClient, server: ScriptedServer) -> None:
    server.will_answer(Scripted([{"label": "Flip (Springfield, OR)", "value": "Flip", "id": 5}]))
    assert await client.autocomplete("fli") == (LocationHint(5, "Flip", "Flip (Springfield, OR)"),)
    assert server.received[0].query == {"name": "fli"}


@pytest.mark.parametrize("text", ["", "fl", "f(", "  f  ", "%%%%"])
async def test_with_too_little_to_go_by_nothing_is_asked(
    client: PinballMapClient, server: ScriptedServer, text: str
) -> None:
    assert await client.autocomplete(text) == ()
    assert await client.search_locations("(=)") == ()
    assert server.received == []


async def test_autocomplete_is_not_asked_twice_because_the_typist_goes_on(
    client: PinballMapClient, server: ScriptedServer
) -> None:
    server.will_answer(Scripted(status=503))
    with pytest.raises(Unavailable):
        await client.autocomplete("flip")
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (Scripted(status=429), "limited"),
        (Scripted(status=429, headers={"Retry-After": "2"}), "limited"),
        (Scripted(status=503, headers={"Retry-After": "0"}), "unavailable"),
        (Scripted(b"<html>Bad gateway</html>", status=502), "unavailable"),
        (Scripted(b'{"user_submissions": [{"id"', cut=True), "unavailable"),
        (Scripted(b'{"user_submissions": [{"id"'), "malformed"),
        (Scripted(b"[" * 100_000), "malformed"),
        (Scripted(b"\xff\xfe"), "malformed"),
        (HTML, "malformed"),
    ],
)
async def test_what_may_pass_is_asked_again(
    client: PinballMapClient, server: ScriptedServer, trouble: Scripted, outcome: str
) -> None:
    server.will_answer(trouble, trouble, PAGE)
    assert isinstance(await client.feed(), Rows)
    assert client.requests == {outcome: 2, "ok": 1}


async def test_what_never_answers_is_asked_again(server: ScriptedServer, clock: ManualClock) -> None:
    server.will_answer(Scripted(hang=True), Scripted(hang=True), PAGE)
    async with open_session(aiohttp.ClientTimeout(total=1)) as hasty:
        client = PinballMapClient(hasty, server.url, TOKEN, clock, requests_per_minute=60_000)
        assert isinstance(await client.feed(), Rows)
    assert client.requests == {"unavailable": 2, "ok": 1}


@pytest.mark.parametrize(
    ("trouble", "error", "sentence"),
    [
        (Scripted({"error": "A valid api_token is required"}, 401), Unauthorized, "set PINBALLMAP_API_TOKEN"),
        (Scripted(b"Forbidden", 403), Unauthorized, "may be blocked for some hours"),
        (Scripted(status=404), Malformed, "check PINBALLMAP_API_BASE"),
        (Scripted(status=422), Malformed, "HTTP 422"),
        (Scripted(status=301, headers={"Location": "https://example.org/"}), Malformed, "has moved"),
        (Scripted(status=304), Malformed, "unexpectedly says that nothing changed"),
        (Scripted([]), Malformed, "is a list instead of an object"),
        (Scripted({"user_submissions": None}), Malformed, "has no list “user_submissions”"),
        (Scripted({"errors": "Filtering is required"}), Malformed, "“Filtering is required”"),
        (Scripted(status=429, headers={"Retry-After": "60"}), Limited, "try again in 60 seconds"),
    ],
)
async def test_what_will_not_pass_is_asked_once(
    client: PinballMapClient, server: ScriptedServer, trouble: Scripted, error: type[PinballMapError], sentence: str
) -> None:
    server.will_answer(trouble, PAGE)
    with pytest.raises(error, match=sentence):
        await client.feed()
    assert client.requests == {error.outcome: 1}
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("trouble", "error"),
    [(Scripted(status=500), Unavailable), (Scripted(status=429), Limited), (HTML, Garbled)],
)
async def test_after_three_attempts_the_last_failure_is_told(
    client: PinballMapClient, server: ScriptedServer, trouble: Scripted, error: type[PinballMapError]
) -> None:
    server.will_answer(trouble)
    with pytest.raises(error, match=r"try again in a few minutes\.$"):
        await client.feed()
    assert client.requests == {error.outcome: 3}


async def test_a_request_given_up_half_way_is_counted_too(client: PinballMapClient, server: ScriptedServer) -> None:
    server.will_answer(Scripted(hang=True))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.autocomplete("flip"), 0.05)
    assert client.requests == {"cancelled": 1}


async def test_a_refused_connection_is_unavailable(session: aiohttp.ClientSession, clock: ManualClock) -> None:
    async with scripted_server() as gone:
        client = PinballMapClient(session, gone.url, TOKEN, clock, requests_per_minute=60_000)
    with pytest.raises(Unavailable, match="could not be reached") as caught:
        await client.autocomplete("flip")
    assert TOKEN not in str(caught.value)


async def test_an_endless_answer_is_dropped(server: ScriptedServer, clock: ManualClock) -> None:
    server.will_answer(Scripted(b" " * (MAX_BODY_BYTES + 1)))
    async with open_session() as patient:
        with pytest.raises(Unavailable, match="sent more than 16 MiB"):
            await PinballMapClient(patient, server.url, TOKEN, clock).autocomplete("flip")


async def test_a_redirect_never_takes_the_token_elsewhere(client: PinballMapClient, server: ScriptedServer) -> None:
    async with scripted_server() as elsewhere:
        server.will_answer(Scripted(status=302, headers={"Location": elsewhere.url}))
        with pytest.raises(Malformed):
            await client.feed()
        assert elsewhere.received == []


async def test_a_longer_pause_is_told_and_kept_by_every_call(
    client: PinballMapClient, server: ScriptedServer, clock: ManualClock
) -> None:
    until = format_datetime(clock.now() + timedelta(seconds=90), usegmt=True)
    server.will_answer(Scripted(status=503, headers={"Retry-After": until}), PAGE)
    with pytest.raises(Unavailable) as caught:
        await client.feed()
    assert caught.value.retry_after == 90
    clock.advance(30)
    with pytest.raises(Limited, match="asked for a pause: try again in 60 seconds") as limited:
        await client.submissions_at(5)
    assert limited.value.retry_after == 60
    assert len(server.received) == 1
    clock.advance(60)
    assert isinstance(await client.feed(), Rows)
    assert client.requests == {"unavailable": 1, "ok": 1}


async def test_a_request_that_waited_its_turn_obeys_a_newer_pause(
    client: PinballMapClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = asyncio.Semaphore(1)
    monkeypatch.setattr(client, "_limiter", turns)
    server.will_answer(Scripted(status=429, headers={"Retry-After": "60"}))
    first, second = (asyncio.ensure_future(client.submissions_at(number)) for number in (1, 2))
    with pytest.raises(Limited):
        await first
    assert not second.done()
    turns.release()
    with pytest.raises(Limited):
        await second
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (Limited("", 7.0), 7.0),
        (Unavailable("", 7.0), 7.0),
        (Limited("", 0.0), True),
        (Limited(""), True),
        (Garbled(""), True),
        (Limited("", MAX_WAIT_SECONDS + 1), False),
        (Malformed(""), False),
        (Unauthorized(""), False),
        (ValueError(""), False),
    ],
)
def test_the_wait_before_the_next_attempt_is_the_servers_or_the_back_offs(error: Exception, wait: float) -> None:
    assert _worth_retrying(error) is wait or _worth_retrying(error) == wait


async def test_an_unchanged_feed_is_not_sent_twice(client: PinballMapClient, server: ScriptedServer) -> None:
    tagged = Scripted(PAGE.body, headers={"ETag": 'W/"a1"'})
    server.will_answer(
        tagged, Scripted(status=304), Scripted(PAGE.body, headers={"ETag": 'W/"b2"'}), Scripted(status=304)
    )
    answers = [await client.feed() for _ in range(4)]
    assert answers == [answers[0]] * 4
    tags = [request.headers.get("If-None-Match") for request in server.received]
    assert tags == [None, 'W/"a1"', 'W/"a1"', 'W/"b2"']
    assert client.requests == {"ok": 2, "not_modified": 2}


async def test_a_feed_that_changed_replaces_what_is_remembered(
    client: PinballMapClient, server: ScriptedServer
) -> None:
    later = {"user_submissions": [{**ROW, "id": 2}]}
    server.will_answer(
        Scripted(PAGE.body, headers={"ETag": '"a"'}), Scripted(later, headers={"ETag": '"b"'}), Scripted(status=304)
    )
    answers = [await client.feed() for _ in range(3)]
    assert [[row.id for row in each.submissions] for each in answers if isinstance(each, Rows)] == [[1], [2], [2]]


async def test_only_the_newest_page_is_asked_for_conditionally(
    client: PinballMapClient, server: ScriptedServer
) -> None:
    server.will_answer(Scripted(PAGE.body, headers={"ETag": '"a1"'}))
    ask: list[Callable[[], Awaitable[object]]] = [lambda: client.feed(1), lambda: client.submissions_at(5)]
    for question in [client.feed, *ask, *ask]:
        await question()
    assert all("If-None-Match" not in request.headers for request in server.received)


async def test_each_question_remembers_its_own_answer(client: PinballMapClient, server: ScriptedServer) -> None:
    closed = {"user_submissions": [{**ROW, "id": 2, "submission_type": "delete_location"}]}
    server.will_answer(
        Scripted(PAGE.body, headers={"ETag": '"a"'}),
        Scripted(closed, headers={"ETag": '"b"'}),
        Scripted(status=304),
        Scripted(status=304),
    )
    types = ("delete_location",)
    answers = [await client.feed(types=given) for given in ((), types, (), types)]
    assert [[row.id for row in each.submissions] for each in answers if isinstance(each, Rows)] == [[1], [2], [1], [2]]
    tags = [request.headers.get("If-None-Match") for request in server.received]
    assert tags == [None, None, '"a"', '"b"']


async def test_types_are_asked_for_one_by_one(client: PinballMapClient, server: ScriptedServer) -> None:
    server.will_answer(PAGE)
    types = ("new_lmx", "delete_location")
    await client.feed(2, limit=5, types=types)
    await client.submissions_at(12, types=types)
    await client.submissions_near(45.5, -122.6, 10, types=types)
    for request in server.received:
        pairs = parse_qsl(request.raw_query)
        assert [value for name, value in pairs if name == "submission_type[]"] == list(types)
    assert (server.received[0].query["limit"], server.received[0].query["page"]) == ("5", "2")


@pytest.mark.parametrize("limit", [0, 51])
async def test_a_page_that_the_server_would_not_give_is_not_asked_for(
    client: PinballMapClient, server: ScriptedServer, limit: int
) -> None:
    with pytest.raises(ValueError, match="1 to 50 rows"):
        await client.feed(1, limit=limit)
    assert server.received == []


async def test_after_a_burst_requests_keep_to_their_rate(
    server: ScriptedServer, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    server.will_answer(PAGE)
    client = PinballMapClient(session, server.url, TOKEN, clock, requests_per_minute=0.001)
    await asyncio.gather(*(client.submissions_at(number) for number in range(5)))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.submissions_at(6), 0.05)
    assert len(server.received) == 5


async def test_paging_back_leaves_room_for_people(
    server: ScriptedServer, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    server.will_answer(PAGE)
    client = PinballMapClient(session, server.url, TOKEN, clock, requests_per_minute=0.001)
    paging = asyncio.gather(*(client.feed(page) for page in range(1, 21)))
    await asyncio.wait_for(asyncio.gather(client.submissions_at(1), client.submissions_at(2)), 30)
    assert sum("page" in request.query for request in server.received) == 3
    paging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await paging


async def test_the_token_is_in_no_address_no_log_and_no_text(client: PinballMapClient, server: ScriptedServer) -> None:
    server.will_answer(Scripted(status=500))
    with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable) as caught:
        await client.search_locations("Flip")
    assert TOKEN not in f"{logs} {caught.value!r} {client!r} {[request.raw_query for request in server.received]}"


@pytest.mark.captures
async def test_a_captured_page_comes_through_whole(
    client: PinballMapClient, server: ScriptedServer, captures: Path
) -> None:
    server.will_answer(Scripted((captures / "location_874_recent.json").read_bytes()))
    rows = await client.submissions_at(874)
    assert isinstance(rows, Rows)
    assert (len(rows.submissions), rows.malformed) == (200, 0)
