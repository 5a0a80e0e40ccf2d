"""The whole bot over real sockets against the embedded Discord: it finds it, answers, posts and comes back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket

from dispinmap.discordbot.bot import DisPinMapBot, use_api_base
from dispinmap.discordbot.destination import DiscordDestination
from dispinmap.discordbot.services import CheckResult, Services
from dispinmap.health import HealthReport
from dispinmap.outbox.destination import Card, ChannelClosed, NotDelivered, OutgoingMessage
from dispinmap.pinballmap.models import Location, Submission
from dispinmap_sandbox.discord.permissions import Permission
from dispinmap_sandbox.discord.seed import Seed
from dispinmap_sandbox.discord.server import DiscordServer
from tests.fakes.clock import ManualClock
from tests.fakes.target_service import FakeTargetService
from tests.fakes.values import notification
from tests.integration.sandbox_bot import PATIENCE, TOKEN, serving, until_described


class PromptBot(DisPinMapBot):
    """Without discord.py's waits before identifying again."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        assert shard_id == 0 or initial


@pytest.fixture
async def server(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    async with serving(clock, monkeypatch) as server:
        # What an untouched discord.py would fall back to; nothing listens there.
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL("ws://127.0.0.1:1/"))
        use_api_base(server.api_base + "/")
        yield server


@pytest.fixture
def seed(server: DiscordServer) -> Seed:
    return server.seed()


@pytest.fixture
def targets() -> FakeTargetService:
    targets = FakeTargetService()
    targets.locations = (Location(874, "Ground Kontrol", "Portland"), Location(9, "Wedgehead", "Portland"))
    return targets


@pytest.fixture
def services(targets: FakeTargetService, clock: ManualClock) -> Services:
    async def check(_channel_id: int) -> CheckResult:
        return CheckResult(0)

    async def health() -> HealthReport:
        raise RuntimeError("nobody measures here")

    async def feed_read_at() -> datetime | None:
        return None

    return Services(targets, check, health, feed_read_at, clock)


@pytest.fixture
async def bot(server: DiscordServer, seed: Seed, services: Services) -> AsyncIterator[DisPinMapBot]:
    bot = PromptBot(services)
    bot._connection.guild_ready_timeout = 0.05
    running = asyncio.create_task(bot.start(TOKEN))
    await server.wait_connected()
    await bot.wait_until_ready()
    await until_described(bot)
    assert [guild.id for guild in bot.guilds] == [seed.guild.id]
    yield bot
    await bot.close()
    await running


def outgoing(channel_id: int, *numbers: int) -> OutgoingMessage:
    now = ManualClock().now()
    items = tuple(notification(Submission(n, "new_lmx", now, 874, "Ground Kontrol")) for n in numbers)
    return OutgoingMessage(channel_id, "nonce-1", (Card(items),))


@pytest.mark.usefixtures("bot")
async def test_a_menu_is_answered_over_the_wire(server: DiscordServer, seed: Seed) -> None:
    asked = await server.invoke(seed.administrator.id, seed.pinball.id, "add location", {"name": "portland"})
    menu = await server.answer(asked)
    custom_id = menu.components[0]["components"][0]["custom_id"]
    await server.choose(seed.administrator.id, menu.id, custom_id, ["1"])
    answer = await server.wait_for_message(seed.pinball.id, lambda message: "Wedgehead" in message.content)
    assert (answer.id, answer.components) == (menu.id, [])


async def test_after_an_invalid_session_the_bot_comes_back_to_the_same_server(
    server: DiscordServer, seed: Seed, bot: DisPinMapBot
) -> None:
    await server.drop_gateway(resumable=False)
    await server.wait_connected()
    answer = await server.answer(await server.invoke(seed.member.id, seed.pinball.id, "list"))
    assert answer.content.startswith("This channel doesn’t watch anything yet")
    assert yarl.URL(server.gateway_url) == DiscordWebSocket.DEFAULT_GATEWAY
    assert not bot.is_closed()


async def test_a_message_is_posted_once_and_found_again(seed: Seed, bot: DisPinMapBot, clock: ManualClock) -> None:
    destination = DiscordDestination(bot)
    number = await destination.send(outgoing(seed.pinball.id, 5, 6))
    assert await destination.send(outgoing(seed.pinball.id, 5, 6)) == number
    since = clock.now() - timedelta(minutes=1)
    assert await destination.find(seed.pinball.id, [5, 6, 7], since) == {5: number, 6: number}


async def test_a_channel_that_was_closed_or_deleted_is_told_apart_from_the_rest(
    server: DiscordServer, seed: Seed, bot: DisPinMapBot
) -> None:
    destination = DiscordDestination(bot)
    server.deny(seed.pinball.id, Permission.SEND_MESSAGES)
    await server.delete_channel(seed.news.id)
    for channel in (seed.pinball, seed.news):
        with pytest.raises(ChannelClosed):
            await destination.send(outgoing(channel.id, 1))


async def test_a_history_the_bot_may_not_read_is_not_taken_for_an_empty_one(
    server: DiscordServer, seed: Seed, bot: DisPinMapBot, clock: ManualClock
) -> None:
    heard = asyncio.ensure_future(bot.wait_for("guild_channel_update", timeout=PATIENCE))
    await asyncio.sleep(0)
    server.deny(seed.pinball.id, Permission.READ_MESSAGE_HISTORY)
    await heard
    with pytest.raises(ChannelClosed):
        await DiscordDestination(bot).find(seed.pinball.id, [5], clock.now())


async def test_a_history_is_not_judged_before_discord_has_described_its_server(
    bot: DisPinMapBot, clock: ManualClock
) -> None:
    (guild,) = bot.guilds
    guild.unavailable = True
    with pytest.raises(NotDelivered):
        await DiscordDestination(bot).find(1, [5], clock.now())


async def test_a_server_that_discord_has_not_described_yet_counts_as_one_the_bot_is_in(
    bot: DisPinMapBot, seed: Seed, targets: FakeTargetService
) -> None:
    bot._connection._add_guild_from_data({"id": seed.guild.id + 1, "unavailable": True})  # type: ignore[typeddict-item]
    await bot.on_ready()
    assert targets.guild_calls[-1] == ("all", [seed.guild.id, seed.guild.id + 1])


async def test_a_bot_that_is_stopping_makes_up_for_nothing(bot: DisPinMapBot, targets: FakeTargetService) -> None:
    await bot.close()
    before = list(targets.guild_calls)
    await bot.on_ready()
    assert targets.guild_calls == before


async def test_a_server_that_throws_the_bot_out_and_takes_it_back_is_told_to_the_service(
    server: DiscordServer, seed: Seed, bot: DisPinMapBot, targets: FakeTargetService
) -> None:
    for act, event in ((server.remove_bot, "guild_remove"), (server.add_bot, "guild_join")):
        heard = asyncio.ensure_future(bot.wait_for(event, timeout=PATIENCE))
        await asyncio.sleep(0)
        await act(seed.guild.id)
        guild = await heard
        assert isinstance(guild, discord.Guild)
    assert [call for call in targets.guild_calls if call[0] != "all"] == [
        ("left", seed.guild.id),
        ("joined", seed.guild.id),
    ]
