"""The bot around its commands: failures, unknown commands, servers that come and go."""

import discord
import pytest
import simcord
from discord import Intents

from dispinmap.pinballmap.models import Location
from tests.commands.conftest import World
from tests.fakes.target_service import FakeTargetService


async def test_an_unforeseen_failure_gives_an_error_id_and_is_counted(world: World) -> None:
    world.targets.failure = RuntimeError("secret detail")
    answer = await world.slash("list")
    assert answer.content.startswith("Sorry, something went wrong (error `")
    assert "secret" not in answer.content
    assert len(world.failures) == 1
    assert world.expect_errors()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("!lisst", "There’s no command “lisst”. Did you mean `list`? `help` lists all commands."),
        ("!qqqqqq", "There’s no command “qqqqqq”. `help` lists all commands."),
    ],
)
async def test_an_unknown_message_command_suggests_one(world: World, line: str, answer: str) -> None:
    assert (await world.say(line)).content == answer


async def test_an_unknown_command_to_the_mentioned_bot_is_answered_too(world: World) -> None:
    assert "There’s no command “hello”" in (await world.say(f"{world.mention} hello")).content


@pytest.mark.parametrize("line", ["!!!", "! ?", "just talking", "!"])
async def test_conversation_is_not_a_command(world: World, line: str) -> None:
    await world.admin.send(world.channel, line)
    assert [one.content for one in world.channel.history()] == [line]


async def test_an_answer_that_discord_refuses_is_reported_not_raised(world: World) -> None:
    world.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    await world.admin.send(world.channel, "!list")
    assert len(world.channel.history()) == 1
    assert world.expect_errors()


async def test_a_sentence_repeats_what_was_typed_harmlessly_and_never_loses_its_cure(world: World) -> None:
    answer = await world.slash("poll_rate", minutes=f"[x](https://evil.example) @everyone {'*' * 3000}")
    assert answer.content.startswith("“\\[x\\](https\\://evil.example) @\u200beveryone \\*")
    assert answer.content.endswith("” isn’t a poll rate. Write a whole number of minutes, or “default”.")
    assert world.expect_errors()


async def test_if_the_bot_may_not_write_a_message_command_does_nothing_and_says_so_privately(world: World) -> None:
    world.targets.locations = (Location(874, "Ground Kontrol"),)
    assert world.bot.user is not None
    muted = world.env.guild.create_text_channel(
        "muted", overwrites={world.bot.user: discord.PermissionOverwrite(send_messages=False)}
    )
    await world.admin.send(muted, "!add location 874")
    said = world.admin.user.dm_channel.last_message
    assert said is not None
    assert said.content.startswith(f"I couldn’t answer in <#{muted.id}>. I’m not allowed to write there. Give me")
    assert world.targets.asked == []
    assert world.failures == []
    assert world.expect_errors()


async def test_servers_that_come_and_go_are_told_to_the_service(world: World) -> None:
    guild = world.bot.guilds[0]
    # simcord announces a new server as one that became available again.
    world.bot.dispatch("guild_join", guild)
    await guild.leave()
    await world.env.settle()
    assert world.targets.guild_calls[1:] == [("joined", guild.id), ("left", guild.id)]


async def test_a_deleted_channel_is_told_to_the_service_with_its_threads(world: World) -> None:
    channel = world.bot.get_channel(world.channel.id)
    assert isinstance(channel, discord.TextChannel)
    thread = await channel.create_thread(name="finds", type=discord.ChannelType.public_thread)
    await world.env.settle()
    await channel.delete()
    await world.env.settle()
    assert set(world.targets.deleted_channels) == {channel.id, thread.id}


async def test_a_thread_is_a_channel_of_its_own_with_its_parents_permissions(world: World) -> None:
    parent = world.bot.get_channel(world.channel.id)
    assert isinstance(parent, discord.TextChannel)
    await parent.create_thread(name="finds", type=discord.ChannelType.public_thread)
    await world.env.settle()
    (thread,) = world.channel.threads
    await world.member.send(thread, "!add coordinates 46 10")
    assert "You need the Manage Channels permission" in thread.history()[-1].content
    await world.admin.send(thread, "!add coordinates 45 10")
    assert [one.watched.target.channel_id for one in await world.targets.targets(thread.id)] == [thread.id]
    assert world.expect_errors()


async def test_a_server_in_an_outage_is_not_a_server_left(world: World) -> None:
    guild = world.bot.guilds[0]
    world.targets.guild_calls.clear()
    world.bot._connection.parsers["GUILD_DELETE"]({"id": str(guild.id), "unavailable": True})
    world.bot.dispatch("ready")
    await world.env.settle()
    assert world.targets.guild_calls == [("all", [guild.id])]


async def test_a_restart_reconciles_the_servers(simcord_env: simcord.Env, targets: FakeTargetService) -> None:
    await simcord_env.settle()
    assert targets.guild_calls[0][0] == "all"


async def test_every_command_and_parameter_has_a_description(world: World) -> None:
    for command in world.bot.tree.walk_commands():
        assert 1 <= len(command.description) <= 100
        for parameter in getattr(command, "parameters", ()):
            assert parameter.description != "…"


class TestWithoutPrefix:
    @pytest.fixture
    def options(self) -> dict[str, object]:
        return {}

    async def test_no_privileged_intent_is_asked_for(self, world: World) -> None:
        wanted = Intents(guilds=True, guild_messages=True)
        assert world.bot.intents == wanted

    async def test_mentions_still_work(self, world: World) -> None:
        assert "doesn’t watch anything yet" in (await world.say(f"{world.mention} list")).content

    async def test_other_messages_do_not(self, world: World) -> None:
        await world.admin.send(world.channel, "!list")
        assert len(world.channel.history()) == 1
