"""The gateway of the embedded Discord: sessions, resuming, servers joined and left, and who is let in."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import discord
import pytest

from dispinmap_sandbox.discord.gateway import ACKNOWLEDGED_AFTER_SECONDS
from dispinmap_sandbox.discord.seed import Seed
from dispinmap_sandbox.discord.server import DiscordServer
from dispinmap_sandbox.discord.sessions import PRIVILEGED, CloseCode, Drop, Intent
from dispinmap_sandbox.errors import SandboxError
from tests.fakes.clock import ManualClock
from tests.integration.sandbox_bot import PATIENCE, TOKEN, Bot, running, serving


@pytest.fixture
async def server(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    async with serving(clock, monkeypatch) as server:
        yield server


@pytest.fixture(autouse=True)
def seed(server: DiscordServer) -> Seed:
    return server.seed()


@pytest.fixture
async def bot(server: DiscordServer) -> AsyncIterator[Bot]:
    async with running(server, Bot()) as bot:
        yield bot


async def test_the_bot_finds_its_server_with_channels_and_permissions(seed: Seed, bot: Bot) -> None:
    guild = bot.get_guild(seed.guild.id)
    assert guild is not None
    assert [channel.name for channel in guild.text_channels] == ["pinball", "portland-news"]
    permissions = bot.channel(seed.pinball.id).permissions_for(guild.me)
    assert permissions.send_messages
    assert not permissions.manage_channels
    assert guild.member_count == 3


async def test_what_happens_while_the_line_is_cut_is_replayed(server: DiscordServer, seed: Seed, bot: Bot) -> None:
    await server.drop_gateway()
    await server.say(seed.member.id, seed.pinball.id, f"{server.state.bot.mention} ping")
    await bot.happened("resumed")
    await server.wait_for_message(seed.pinball.id, lambda message: message.content == "pong")


@pytest.mark.parametrize("how", [Drop.RECONNECT, Drop.INVALID])
async def test_a_client_asked_to_come_back_resumes(server: DiscordServer, bot: Bot, how: Drop) -> None:
    await server.drop_gateway(how=how)
    await bot.happened("resumed")
    assert server.connected


@pytest.mark.parametrize("how", list(Drop))
async def test_a_forgotten_session_starts_anew(server: DiscordServer, seed: Seed, bot: Bot, how: Drop) -> None:
    await server.drop_gateway(resumable=False, how=how)
    await bot.happened("ready")
    message = await server.answer(await server.invoke(seed.member.id, seed.pinball.id, "ping"))
    assert message.content == "pong"


async def test_leaving_and_joining_a_server_is_told(server: DiscordServer, seed: Seed, bot: Bot) -> None:
    await server.remove_bot(seed.guild.id)
    await bot.happened("removed Pinball Friends")
    assert server.visible_commands(seed.member.id, seed.pinball.id) == []
    with pytest.raises(discord.Forbidden) as refused:
        await bot.get_partial_messageable(seed.pinball.id).send("still here?")
    assert refused.value.code == 50001
    await server.add_bot(seed.guild.id)
    await bot.happened("joined Pinball Friends")
    await bot.channel(seed.pinball.id).send("back")


async def test_new_servers_and_deleted_channels_are_told(server: DiscordServer, seed: Seed, bot: Bot) -> None:
    guild = await server.add_guild("Flipper Club")
    await bot.happened("joined Flipper Club")
    server.add_channel(guild.id, "news")
    await server.delete_channel(seed.news.id)
    await bot.happened("deleted portland-news")
    with pytest.raises(discord.NotFound) as gone:
        await bot.get_partial_messageable(seed.news.id).send("hello?")
    assert gone.value.code == 10003


async def test_a_wrong_token_is_refused_by_the_api(server: DiscordServer) -> None:
    bot = Bot()
    async with bot:
        with pytest.raises(discord.LoginFailure):
            await bot.start("another token")
    assert not server.connected


async def test_a_privileged_intent_that_is_not_switched_on_is_refused(server: DiscordServer) -> None:
    server.allowed_intents = PRIVILEGED & ~Intent.MESSAGE_CONTENT
    bot = Bot(discord.Intents(guilds=True, guild_messages=True, message_content=True))
    async with bot:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await bot.start(TOKEN)


async def test_waiting_for_a_bot_that_never_comes_ends_in_a_sentence(server: DiscordServer) -> None:
    with pytest.raises(SandboxError, match="The bot did not connect within"):
        await server.wait_connected(0.01)


async def closing(server: DiscordServer, *packets: object) -> int | None:
    """The code with which the gateway ends a connection that sends these packets."""
    async with aiohttp.ClientSession() as http, http.ws_connect(server.gateway_url) as socket:
        assert (await socket.receive_json())["op"] == 10
        for packet in packets:
            await (socket.send_str(packet) if isinstance(packet, str) else socket.send_json(packet))
        while (await asyncio.wait_for(socket.receive(), PATIENCE)).type is not aiohttp.WSMsgType.CLOSE:
            pass
        return socket.close_code


IDENTIFY = {"op": 2, "d": {"token": TOKEN, "intents": 1, "properties": {}}}


@pytest.mark.parametrize(
    ("packets", "code"),
    [
        ([{"op": 2, "d": {"token": "another", "intents": 0}}], CloseCode.AUTHENTICATION_FAILED),
        ([{"op": 6, "d": {"token": "another", "session_id": "x", "seq": 0}}], CloseCode.AUTHENTICATION_FAILED),
        ([{"op": 3, "d": {}}], CloseCode.NOT_AUTHENTICATED),
        ([IDENTIFY, IDENTIFY], CloseCode.ALREADY_AUTHENTICATED),
        (["no json"], CloseCode.DECODE_ERROR),
        (["[]"], CloseCode.DECODE_ERROR),
    ],
)
async def test_a_client_that_breaks_the_rules_is_closed_with_the_code_for_it(
    server: DiscordServer, packets: list[object], code: CloseCode
) -> None:
    assert await closing(server, *packets) == code


async def test_without_compression_packets_are_text_and_heartbeats_are_acknowledged_not_too_fast(
    server: DiscordServer,
) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(server.gateway_url) as socket:
        await socket.receive_json()
        started = time.perf_counter()
        await socket.send_json({"op": 1, "d": None})
        assert (await socket.receive_json())["op"] == 11
        assert time.perf_counter() - started > ACKNOWLEDGED_AFTER_SECONDS / 2
        await socket.send_json({"op": 6, "d": {"token": TOKEN, "session_id": "unknown", "seq": 7}})
        assert await socket.receive_json() == {"op": 9, "d": False}


async def test_each_shard_hears_of_its_own_servers(server: DiscordServer, seed: Seed) -> None:
    async with aiohttp.ClientSession() as http:
        greeted = []
        for shard in (0, 1):
            async with http.ws_connect(server.gateway_url) as socket:
                await socket.receive_json()
                await socket.send_json({"op": 2, "d": {**IDENTIFY["d"], "shard": [shard, 2]}})  # type: ignore[dict-item]
                greeted.append([guild["id"] for guild in (await socket.receive_json())["d"]["guilds"]])
    mine = (seed.guild.id >> 22) % 2
    assert greeted[mine] == [str(seed.guild.id)]
    assert greeted[1 - mine] == []
