"""Messages over REST: what is kept, what is refused, and faults on request."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest

from dispinmap_sandbox.discord import limits
from dispinmap_sandbox.discord.events import EventKind
from dispinmap_sandbox.discord.permissions import Permission
from dispinmap_sandbox.discord.seed import Seed
from dispinmap_sandbox.discord.server import DiscordServer
from dispinmap_sandbox.discord.state import NONCE_MEMORY
from dispinmap_sandbox.errors import SandboxError
from tests.fakes.clock import ManualClock
from tests.integration.sandbox_bot import TOKEN, Bot, serving

Json = dict[str, Any]
POST = "POST /channels/{channel_id}/messages"


@pytest.fixture
async def server(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    async with serving(clock, monkeypatch) as server:
        yield server


@pytest.fixture(autouse=True)
def seed(server: DiscordServer) -> Seed:
    return server.seed()


@pytest.fixture
async def channel(seed: Seed) -> AsyncIterator[discord.PartialMessageable]:
    """#pinball, as a bot that is logged in but listens to nothing sees it."""
    async with Bot() as bot:
        await bot.login(TOKEN)
        yield bot.get_partial_messageable(seed.pinball.id)


@pytest.fixture
async def http(server: DiscordServer) -> AsyncIterator[aiohttp.ClientSession]:
    """Requests as the bot, without discord.py's own checks and retries."""
    headers = {"Authorization": f"Bot {TOKEN}"}
    async with aiohttp.ClientSession(server.api_base + "/", headers=headers) as session:
        yield session


async def test_a_message_keeps_its_content_embeds_and_files(
    server: DiscordServer, channel: discord.PartialMessageable
) -> None:
    embed = discord.Embed(title="Ground Kontrol", url="https://pinballmap.com/map?by_location_id=874#submissions=1")
    embed.add_field(name="Came", value="Medieval Madness")
    sent = await channel.send("news", embed=embed, files=[discord.File(io.BytesIO(b"a,b"), "list.csv")])
    kept = server.state.messages[sent.id]
    assert (kept.content, kept.embeds[0]["url"], kept.embeds[0]["type"]) == ("news", embed.url, "rich")
    assert await sent.attachments[0].read() == b"a,b"
    assert (await channel.fetch_message(sent.id)).embeds == sent.embeds == [embed]


async def test_ids_and_timestamps_come_from_the_clock(clock: ManualClock, channel: discord.PartialMessageable) -> None:
    first = await channel.send("one")
    second = await channel.send("two")
    assert first.created_at == second.created_at == clock.now()
    assert first.id < second.id


async def test_the_same_nonce_posts_once_for_some_minutes(
    server: DiscordServer, clock: ManualClock, channel: discord.PartialMessageable
) -> None:
    first = await channel.send("news", nonce="12-345")
    clock.advance(NONCE_MEMORY.total_seconds())
    assert (await channel.send("news", nonce="12-345")).id == first.id
    clock.advance(1)
    assert (await channel.send("news", nonce="12-345")).id != first.id
    assert len(server.state.channel_messages(channel.id)) == 2


async def test_a_nonce_that_is_not_enforced_keeps_nothing_out(http: aiohttp.ClientSession, seed: Seed) -> None:
    path, body = f"channels/{seed.pinball.id}/messages", {"content": "x", "nonce": "1"}
    first, second = [(await answer(http, "POST", path, body))[1] for _ in range(2)]
    assert first["id"] != second["id"]


async def test_editing_changes_what_is_mentioned_and_deleting_removes(
    server: DiscordServer, channel: discord.PartialMessageable
) -> None:
    sent = await channel.send("draft", embed=discord.Embed(title="kept"))
    edited = await sent.edit(content="final")
    assert (edited.content, edited.embeds[0].title, edited.edited_at) == ("final", "kept", server.state.clock.now())
    await sent.delete()
    with pytest.raises(discord.NotFound) as gone:
        await channel.fetch_message(sent.id)
    assert gone.value.code == 10008


async def test_an_edit_that_is_refused_changes_nothing(
    server: DiscordServer, channel: discord.PartialMessageable
) -> None:
    sent = await channel.send("kept")
    with pytest.raises(discord.HTTPException) as refused:
        await sent.edit(content=None)
    assert refused.value.code == 50006
    assert server.state.messages[sent.id].content == "kept"


async def test_an_edit_says_which_files_stay(server: DiscordServer, channel: discord.PartialMessageable) -> None:
    sent = await channel.send(files=[discord.File(io.BytesIO(b"1"), "a.txt"), discord.File(io.BytesIO(b"2"), "b.txt")])
    await sent.edit(attachments=[sent.attachments[1], discord.File(io.BytesIO(b"3"), "c.txt")])
    assert [each.filename for each in server.state.messages[sent.id].attachments] == ["b.txt", "c.txt"]


async def test_somebody_elses_message_can_be_neither_edited_nor_deleted(
    server: DiscordServer, seed: Seed, channel: discord.PartialMessageable
) -> None:
    said = await server.say(seed.member.id, seed.pinball.id, "mine")
    message = channel.get_partial_message(said.id)
    with pytest.raises(discord.Forbidden) as refused:
        await message.edit(content="yours")
    assert refused.value.code == 50005
    with pytest.raises(discord.Forbidden) as refused:
        await message.delete()
    assert refused.value.code == 50013


async def test_history_is_read_in_both_directions(channel: discord.PartialMessageable) -> None:
    sent = [await channel.send(str(number)) for number in range(7)]
    assert [m.content async for m in channel.history(limit=3)] == ["6", "5", "4"]
    assert [m.content async for m in channel.history(limit=2, before=sent[3])] == ["2", "1"]
    assert [m.content async for m in channel.history(limit=2, after=sent[3])] == ["4", "5"]
    assert [m.content async for m in channel.history(limit=3, around=sent[3])] == ["4", "3", "2"]


async def answer(http: aiohttp.ClientSession, method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
    async with http.request(method, path, json=body) as response:
        return response.status, await response.json()


async def test_what_is_beyond_a_limit_is_refused_with_the_place_named(
    http: aiohttp.ClientSession, server: DiscordServer, seed: Seed
) -> None:
    payload = {"embeds": [{"fields": [{"name": "x", "value": "y" * 1025}]}]}
    status, body = await answer(http, "POST", f"channels/{seed.pinball.id}/messages", payload)
    assert (status, body["code"]) == (400, 50035)
    complaint = body["errors"]["embeds"]["0"]["fields"]["0"]["value"]["_errors"][0]
    assert complaint == {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 1024 or fewer in length."}
    assert server.state.channel_messages(seed.pinball.id) == []


async def test_an_answer_to_a_message_that_is_gone_is_refused(http: aiohttp.ClientSession, seed: Seed) -> None:
    payload = {"content": "x", "message_reference": {"message_id": "1"}}
    _, body = await answer(http, "POST", f"channels/{seed.pinball.id}/messages", payload)
    assert "message_reference" in body["errors"]


@pytest.mark.parametrize("payload", [{}, {"content": "  "}, {"embeds": [{"color": 1}]}])
async def test_an_empty_message_is_refused(http: aiohttp.ClientSession, seed: Seed, payload: Json) -> None:
    status, body = await answer(http, "POST", f"channels/{seed.pinball.id}/messages", payload)
    assert (status, body["code"]) == (400, 50006)


@pytest.mark.parametrize(
    ("permission", "code"),
    [
        (Permission.VIEW_CHANNEL, 50001),
        (Permission.SEND_MESSAGES, 50013),
        (Permission.EMBED_LINKS, 50013),
        (Permission.ATTACH_FILES, 50013),
    ],
)
async def test_a_missing_permission_refuses_the_post_until_it_is_given(
    server: DiscordServer, channel: discord.PartialMessageable, permission: Permission, code: int
) -> None:
    def news() -> Any:  # noqa: ANN401 — discord.py's overloads of send take no plain mapping
        return {"embed": discord.Embed(title="x"), "file": discord.File(io.BytesIO(b"x"), "x.txt")}

    server.deny(channel.id, permission)
    with pytest.raises(discord.Forbidden) as refused:
        await channel.send(**news())
    assert refused.value.code == code
    server.allow(channel.id, permission)
    await channel.send(**news())


async def test_without_the_history_permission_the_history_is_empty_and_no_message_is_found(
    server: DiscordServer, channel: discord.PartialMessageable
) -> None:
    sent = await channel.send("x")
    server.deny(channel.id, Permission.READ_MESSAGE_HISTORY)
    assert [message async for message in channel.history()] == []
    with pytest.raises(discord.Forbidden):
        await channel.fetch_message(sent.id)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "channels/1", 404, 10003),
        ("GET", "guilds/1", 404, 10004),
        ("GET", "users/1", 404, 10013),
        ("PUT", "applications/1/commands", 404, 10002),
        ("GET", "webhooks/1/token/messages/@original", 404, 10015),
        ("POST", "interactions/1/token/callback", 404, 10062),
        ("GET", "no/such/route", 404, 0),
    ],
)
async def test_what_does_not_exist_is_named(
    http: aiohttp.ClientSession, method: str, path: str, status: int, code: int
) -> None:
    answered, body = await answer(http, method, path, {} if method == "POST" else None)
    assert (answered, body["code"]) == (status, code)


async def test_a_wrong_token_or_a_broken_body_is_refused(http: aiohttp.ClientSession, seed: Seed) -> None:
    path = f"channels/{seed.pinball.id}/messages"
    async with http.post(path, json={"content": "x"}, headers={"Authorization": "Bot other"}) as response:
        assert response.status == 401
    async with http.post(path, data="{", headers={"Content-Type": "application/json"}) as response:
        assert (response.status, (await response.json())["code"]) == (400, 50109)
    async with http.post(path, json=[]) as response:
        assert (response.status, (await response.json())["code"]) == (400, 50035)


async def test_a_mention_pings_only_whom_the_message_allows(
    server: DiscordServer, seed: Seed, channel: discord.PartialMessageable
) -> None:
    text = f"{seed.member.mention} @everyone"
    silent = await channel.send(text, allowed_mentions=discord.AllowedMentions.none())
    loud = await channel.send(text)
    assert server.state.messages[silent.id].mentions == []
    assert server.state.messages[loud.id].mentions == [seed.member]
    assert not server.state.messages[loud.id].mention_everyone


async def test_the_page_hears_of_typing_and_of_every_change(
    server: DiscordServer, seed: Seed, channel: discord.PartialMessageable
) -> None:
    with server.subscribe() as events:
        async with channel.typing():
            sent = await channel.send("x")
        await sent.edit(content="y")
        await sent.delete()
        server.add_channel(seed.guild.id, "new")
        kinds = [events.get_nowait().kind for _ in range(events.qsize())]
    assert kinds == [
        EventKind.TYPING,
        EventKind.MESSAGE_CREATE,
        EventKind.MESSAGE_UPDATE,
        EventKind.MESSAGE_DELETE,
        EventKind.CHANNELS,
    ]


async def test_what_a_person_cannot_post_is_refused_in_a_sentence(server: DiscordServer, seed: Seed) -> None:
    with pytest.raises(SandboxError, match="Must be 2000 or fewer in length"):
        await server.say(seed.member.id, seed.pinball.id, "x" * 2001)
    with pytest.raises(SandboxError, match="Cannot send an empty message"):
        await server.say(seed.member.id, seed.pinball.id, " ")
    with pytest.raises(SandboxError, match="no channel 1"):
        await server.say(seed.member.id, 1, "x")
    with pytest.raises(SandboxError, match="no member 1"):
        await server.say(1, seed.pinball.id, "x")


async def test_waiting_for_a_message_that_never_comes_ends_in_a_sentence(server: DiscordServer, seed: Seed) -> None:
    with pytest.raises(SandboxError, match="No such message came in channel"):
        await server.wait_for_message(seed.pinball.id, lambda _: True, 0.01)


async def test_an_answer_on_order_has_no_effect_and_comes_as_often_as_ordered(
    server: DiscordServer, http: aiohttp.ClientSession, seed: Seed
) -> None:
    path = f"channels/{seed.pinball.id}/messages"
    server.faults.fail("/channels/*/messages", 503, times=2, body="<h1>down</h1>", headers={"Retry-After": "7"})
    for _ in range(2):
        async with http.post(path, json={"content": "x"}) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "7")
    assert server.state.channel_messages(seed.pinball.id) == []
    assert (await answer(http, "POST", path, {"content": "x"}))[0] == 200
    assert server.requests[POST] == 3


async def test_a_dropped_answer_leaves_the_message_posted(
    server: DiscordServer, channel: discord.PartialMessageable
) -> None:
    server.faults.drop("/channels/*/messages", method="POST")
    with pytest.raises(aiohttp.ClientError):
        await channel.send("news", nonce="1")
    posted = server.state.channel_messages(channel.id)
    assert [message.content for message in posted] == ["news"]
    assert (await channel.send("news", nonce="1")).id == posted[0].id


async def test_a_delay_holds_requests_until_the_faults_are_cleared(
    server: DiscordServer, http: aiohttp.ClientSession
) -> None:
    server.faults.delay("/users/@me", 30)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await answer(http, "GET", "users/@me")
    server.faults.clear()
    assert (await answer(http, "GET", "users/@me"))[0] == 200


async def test_rate_limits_refuse_the_sixth_post_and_say_when_to_come_back(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(clock, monkeypatch, rate_limits=True) as server:
        seed = server.seed()
        headers = {"Authorization": f"Bot {TOKEN}"}
        url = f"{server.api_base}/channels/{seed.pinball.id}/messages"
        async with aiohttp.ClientSession(headers=headers) as http:
            statuses = []
            for number in range(6):
                async with http.post(url, json={"content": str(number)}) as response:
                    statuses.append((response.status, response.headers["X-RateLimit-Remaining"]))
                    body = await response.json()
    assert statuses == [(200, "4"), (200, "3"), (200, "2"), (200, "1"), (200, "0"), (429, "0")]
    assert 0 < body["retry_after"] <= 5
    assert response.headers["Via"]


async def test_the_real_client_keeps_to_the_limits_it_is_told(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ROUTES", {POST: limits.Rule(5, 0.2)})
    async with serving(clock, monkeypatch, rate_limits=True) as server, Bot() as bot:
        seed = server.seed()
        await bot.login(TOKEN)
        channel = bot.get_partial_messageable(seed.pinball.id)
        sent = [await channel.send(str(number)) for number in range(12)]
    assert [message.content for message in server.state.channel_messages(seed.pinball.id)] == [m.content for m in sent]


async def test_an_interaction_is_acknowledged_once_and_only_with_its_own_token(
    server: DiscordServer, http: aiohttp.ClientSession, seed: Seed, channel: discord.PartialMessageable
) -> None:
    assert channel.id == seed.pinball.id
    interaction = await server.invoke(seed.member.id, seed.pinball.id, "ping")
    callback = f"interactions/{interaction.id}/{interaction.token}/callback"
    webhook = f"webhooks/{server.state.application_id}/{interaction.token}"
    assert (await answer(http, "POST", webhook, {"content": "early"}))[1]["code"] == 10015
    assert (await answer(http, "POST", callback, {"type": 7}))[1]["code"] == 50035
    _, body = await answer(http, "POST", f"{callback}?with_response=true", {"type": 5})
    assert body["interaction"]["response_message_loading"]
    assert (await answer(http, "POST", callback, {"type": 5}))[1]["code"] == 40060
    assert (await answer(http, "PATCH", f"{webhook}/messages/@original", {"content": "late"}))[1]["content"] == "late"
    async with http.delete(f"{webhook}/messages/@original") as response:
        assert response.status == 204
    with pytest.raises(SandboxError, match="was deleted"):
        await server.answer(interaction)
