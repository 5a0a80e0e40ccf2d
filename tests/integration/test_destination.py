"""Posting through the real discord.py over a real socket, against answers that Discord gives."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.http import Route

from dispinmap.discordbot.bot import use_api_base
from dispinmap.discordbot.destination import DiscordDestination
from dispinmap.outbox.destination import (
    Card,
    ChannelClosed,
    DeliveryUnknown,
    MessageRejected,
    NotDelivered,
    OutgoingMessage,
)
from dispinmap.pinballmap.models import Submission
from tests.fakes.values import notification

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BOT = {"id": "77", "username": "DisPinMap", "discriminator": "0", "avatar": None, "bot": True}
OTHER = {**BOT, "id": "78"}
CHANNEL = 4242
_APPLICATION = {
    "description": "",
    "bot_public": True,
    "bot_require_code_grant": False,
    "icon": None,
    "owner": OTHER,
    "rpc_origins": [],
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def outgoing(*numbers: int) -> OutgoingMessage:
    items = tuple(
        notification(Submission(n, "new_lmx", NOW, 874, "Ground Kontrol", comment="@everyone")) for n in numbers
    )
    return OutgoingMessage(CHANNEL, "v1-abc", (Card(items),))


def post(number: int, author: dict[str, Any], *urls: str) -> dict[str, Any]:
    return {
        "id": str(number),
        "channel_id": str(CHANNEL),
        "author": author,
        "content": "",
        "timestamp": NOW.isoformat(),
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [{"type": "rich", "url": url} for url in urls],
        "pinned": False,
        "type": 0,
    }


def link(*numbers: int) -> str:
    return f"https://pinballmap.com/map?by_location_id=874#submissions={','.join(map(str, numbers))}"


def answered(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON without a charset in its type, which discord.py would not take for JSON."""
    return web.Response(body=json.dumps(body).encode(), status=status, headers=headers, content_type="application/json")


class Discord:
    """Logs the bot in; what it answers to posts and to history is each test's own."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []
        self.history_requests = 0
        self.answers_history = asyncio.Event()
        self.answers_history.set()
        self.answer: Handler = self._accept

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/users/@me", self._me)
        app.router.add_get("/oauth2/applications/@me", self._application)
        app.router.add_post(f"/channels/{CHANNEL}/messages", self._post)
        app.router.add_get(f"/channels/{CHANNEL}/messages", self._history)
        return app

    async def _me(self, _request: web.Request) -> web.Response:
        return answered(BOT)

    async def _application(self, _request: web.Request) -> web.Response:
        return answered({"id": "77", "name": "D", "verify_key": "", "flags": 0} | _APPLICATION)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(json.loads(await request.text()))
        return await self.answer(request)

    async def _accept(self, _request: web.Request) -> web.Response:
        return answered(post(900, BOT))

    async def _history(self, request: web.Request) -> web.Response:
        self.history_requests += 1
        await self.answers_history.wait()
        after = int(request.query.get("after", 0))
        newer = sorted((one for one in self.history if int(one["id"]) > after), key=lambda one: int(one["id"]))
        return answered(newer[: int(request.query["limit"])][::-1])

    def refuse(self, status: int, body: object = None, headers: dict[str, str] | None = None) -> None:
        """Answer posts with this."""

        async def answer(_request: web.Request) -> web.Response:
            return answered(body or {"code": 1, "message": "no"}, status=status, headers=headers)

        self.answer = answer


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Discord]:
    fake = Discord()
    server = TestServer(fake.app(), host="127.0.0.1")
    await server.start_server()
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    use_api_base(str(server.make_url("/")))
    yield fake
    await server.close()


@pytest.fixture
async def client(world: Discord) -> AsyncIterator[discord.Client]:
    assert not world.bodies
    client = discord.Client(intents=discord.Intents.none(), max_ratelimit_timeout=30)
    await client.login("a-token")
    yield client
    await client.close()


@pytest.fixture
def destination(client: discord.Client) -> DiscordDestination:
    return DiscordDestination(client)


async def test_a_message_enforces_its_nonce_and_mentions_no_one(
    world: Discord, destination: DiscordDestination
) -> None:
    assert await destination.send(outgoing(1, 2)) == 900
    [body] = world.bodies
    assert (body["nonce"], body["enforce_nonce"]) == ("v1-abc", True)
    assert body["allowed_mentions"]["parse"] == []
    assert body["embeds"][0]["url"] == link(1, 2)
    assert body["embeds"][0]["title"] == "Ground Kontrol"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (403, ChannelClosed),
        (404, ChannelClosed),
        (400, MessageRejected),
        (401, NotDelivered),
        (503, DeliveryUnknown),
    ],
)
async def test_each_refusal_says_what_to_do_next(
    world: Discord, destination: DiscordDestination, status: int, outcome: type[Exception]
) -> None:
    world.refuse(status)
    with pytest.raises(outcome):
        await destination.send(outgoing(1))


@pytest.mark.parametrize("code", [50006, 50083])
async def test_an_embed_that_was_taken_away_or_an_archived_thread_closes_the_channel(
    world: Discord, destination: DiscordDestination, code: int
) -> None:
    world.refuse(400, {"code": code, "message": "no"})
    with pytest.raises(ChannelClosed):
        await destination.send(outgoing(1))


async def test_a_long_rate_limit_goes_back_with_its_delay(world: Discord, destination: DiscordDestination) -> None:
    body = {"message": "slow down", "retry_after": 64.5, "global": False}
    world.refuse(429, body, {"Via": "1.1 google", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "64.5"})
    with pytest.raises(NotDelivered) as caught:
        await destination.send(outgoing(1))
    assert caught.value.retry_after == 64.5


@pytest.mark.parametrize(("told", "seconds"), [("600", 600), ("nan", None), ("inf", None), ("soon", None)])
async def test_a_ban_for_too_many_requests_goes_back_with_its_delay(
    world: Discord, destination: DiscordDestination, told: str, seconds: float | None
) -> None:
    world.refuse(429, None, {"Retry-After": told})
    with pytest.raises(NotDelivered) as caught:
        await destination.send(outgoing(1))
    assert caught.value.retry_after == seconds


async def test_a_connection_that_breaks_after_the_request_leaves_doubt(
    world: Discord, destination: DiscordDestination
) -> None:
    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    world.answer = hang_up
    with pytest.raises(DeliveryUnknown):
        await destination.send(outgoing(1))


async def test_an_answer_that_does_not_come_leaves_doubt(world: Discord, client: discord.Client) -> None:
    released = asyncio.Event()

    async def wait(_request: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    world.answer = wait
    with pytest.raises(DeliveryUnknown):
        await DiscordDestination(client, timeout_seconds=0.05).send(outgoing(1))
    released.set()


async def test_a_server_that_is_not_there_got_nothing(
    world: Discord, destination: DiscordDestination, closed_port: int
) -> None:
    use_api_base(f"http://127.0.0.1:{closed_port}")
    with pytest.raises(NotDelivered):
        await destination.send(outgoing(1))
    assert world.bodies == []


async def test_a_bot_that_is_not_logged_in_sends_nothing() -> None:
    client = discord.Client(intents=discord.Intents.none())
    with pytest.raises(NotDelivered):
        await DiscordDestination(client).send(outgoing(1))
    with pytest.raises(NotDelivered):
        await DiscordDestination(client).find(CHANNEL, [1], NOW)


async def test_each_submission_is_found_in_the_bots_first_own_post_that_carries_it(
    world: Discord, destination: DiscordDestination
) -> None:
    first = discord.utils.time_snowflake(NOW) + 1
    world.history = [
        post(first, OTHER, link(1, 2)),
        post(first + 1, BOT, link(1)),
        post(first + 2, BOT),
        post(first + 3, BOT, link(1), link(2, 3)),
    ]
    found = await destination.find(CHANNEL, [1, 2, 4], NOW - timedelta(minutes=1))
    assert found == {1: first + 1, 2: first + 3}


async def test_a_post_is_found_beyond_the_first_page_but_not_before_since(
    world: Discord, destination: DiscordDestination
) -> None:
    first = discord.utils.time_snowflake(NOW) + 1
    world.history = [post(first + n, BOT, link(n)) for n in range(250)]
    assert await destination.find(CHANNEL, [1, 249], NOW - timedelta(minutes=1)) == {1: first + 1, 249: first + 249}
    assert await destination.find(CHANNEL, [249], NOW + timedelta(minutes=1)) == {}


async def test_the_walk_ends_once_everything_is_found(world: Discord, destination: DiscordDestination) -> None:
    first = discord.utils.time_snowflake(NOW) + 1
    world.history = [post(first + n, BOT, link(n)) for n in range(250)]
    await destination.find(CHANNEL, [1, 2], NOW - timedelta(minutes=1))
    assert world.history_requests == 1


async def test_a_history_whose_answer_never_comes_is_looked_at_again_later(
    world: Discord, client: discord.Client
) -> None:
    world.answers_history.clear()
    with pytest.raises(DeliveryUnknown):
        await DiscordDestination(client, 0.05).find(CHANNEL, [1], NOW)
    world.answers_history.set()


async def test_a_history_that_cannot_be_read_says_so(destination: DiscordDestination) -> None:
    with pytest.raises(ChannelClosed):
        await destination.find(1, [1], NOW)


async def test_the_operator_gets_plain_words_that_mention_no_one(
    world: Discord, destination: DiscordDestination
) -> None:
    await destination.say(CHANNEL, "It broke, @everyone: see https://example.org.")
    [body] = world.bodies
    assert body["content"] == "It broke, @everyone: see https://example.org."
    assert body["allowed_mentions"] == {"parse": []}
    assert "embeds" not in body


async def test_an_operators_channel_that_is_closed_says_so(world: Discord, destination: DiscordDestination) -> None:
    world.refuse(403)
    with pytest.raises(ChannelClosed):
        await destination.say(CHANNEL, "It broke.")
