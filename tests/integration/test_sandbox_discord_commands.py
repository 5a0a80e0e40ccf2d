"""Commands, buttons and menus of a real discord.py bot on the embedded Discord."""

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest

from dispinmap_sandbox.discord import interactions
from dispinmap_sandbox.discord.models import InteractionState, Message, Upload
from dispinmap_sandbox.discord.seed import Seed
from dispinmap_sandbox.discord.server import DiscordServer
from dispinmap_sandbox.errors import SandboxError
from tests.fakes.clock import ManualClock
from tests.integration.sandbox_bot import PATIENCE, Bot, running, serving


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


@pytest.mark.usefixtures("bot")
async def test_a_slash_command_is_answered(server: DiscordServer, seed: Seed) -> None:
    interaction = await server.invoke(seed.member.id, seed.pinball.id, "ping")
    message = await server.answer(interaction)
    assert (message.content, message.author, message.visible_to) == ("pong", server.state.bot, None)
    assert interaction.state is InteractionState.ANSWERED


@pytest.mark.usefixtures("bot")
async def test_the_commands_are_registered_with_their_parameters(server: DiscordServer, seed: Seed) -> None:
    add = next(command for command in server.commands() if command["name"] == "add")
    location = add["options"][0]
    assert [option["name"] for option in location["options"]] == ["name", "radius"]
    assert location["options"][0]["autocomplete"]
    assert {command["name"] for command in server.visible_commands(seed.member.id, seed.pinball.id)} >= {"ping", "add"}


@pytest.mark.usefixtures("bot")
async def test_commands_for_managers_are_shown_to_administrators_alone(server: DiscordServer, seed: Seed) -> None:
    names = {command["name"] for command in server.visible_commands(seed.administrator.id, seed.pinball.id)}
    assert "secret" in names
    with pytest.raises(SandboxError, match="no command /secret here"):
        await server.invoke(seed.member.id, seed.pinball.id, "secret")


@pytest.mark.usefixtures("bot")
async def test_a_subcommand_gets_its_parameters(server: DiscordServer, seed: Seed) -> None:
    options = {"name": "Ground Kontrol", "radius": "40"}
    interaction = await server.invoke(seed.member.id, seed.pinball.id, "add location", options)
    assert (await server.answer(interaction)).content == "added Ground Kontrol 40"


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("add", {}, "needs one of its subcommands: /add location"),
        ("add location", {}, "needs “name”"),
        ("add location", {"nmae": "x"}, "no parameter “nmae”"),
        ("add location", {"name": "x", "radius": "far"}, "“radius” must be a number, not “far”"),
        ("shout", {}, "no command /shout here"),
        ("read", {"file": "text"}, "takes a file"),
    ],
)
async def test_what_the_client_would_not_send_is_refused_in_a_sentence(
    server: DiscordServer, seed: Seed, name: str, options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SandboxError, match=sentence):
        await server.invoke(seed.administrator.id, seed.pinball.id, name, options)


@pytest.mark.usefixtures("bot")
async def test_autocomplete_asks_the_bot(server: DiscordServer, seed: Seed) -> None:
    options = {"name": "Ground"}
    choices = await server.autocomplete(seed.member.id, seed.pinball.id, "add location", options, "name")
    assert [(choice.name, choice.value) for choice in choices] == [("Ground Kontrol", "874")]


@pytest.mark.usefixtures("bot")
async def test_the_first_answer_after_thinking_takes_its_place(server: DiscordServer, seed: Seed) -> None:
    interaction = await server.invoke(seed.member.id, seed.pinball.id, "slow")
    await interaction.acknowledged.wait()
    assert server.state.messages[interaction.original_id or 0].thinking
    first = await server.answer(interaction)
    second = await server.wait_for_message(seed.pinball.id, lambda message: message.content == "second")
    assert (first.id, first.content, first.thinking) == (interaction.original_id, "first", False)
    assert [(each.filename, each.content) for each in second.attachments] == [("export.txt", b"lines")]


@pytest.mark.usefixtures("bot")
async def test_an_attached_file_reaches_the_command(server: DiscordServer, seed: Seed) -> None:
    options = {"file": Upload("targets.txt", b"!add location 874")}
    interaction = await server.invoke(seed.member.id, seed.pinball.id, "read", options)
    assert (await server.answer(interaction)).content == "!add location 874"


@pytest.mark.usefixtures("bot")
async def test_an_ephemeral_answer_is_seen_by_the_asker_alone(server: DiscordServer, seed: Seed) -> None:
    message = await server.answer(await server.invoke(seed.administrator.id, seed.pinball.id, "secret"))
    assert message.visible_to == seed.administrator.id
    assert server.state.channel_messages(seed.pinball.id, seed.member.id) == []
    assert server.state.channel_messages(seed.pinball.id, seed.administrator.id) == [message]


@pytest.mark.usefixtures("bot")
async def test_a_command_that_never_answers_fails(
    server: DiscordServer, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert interactions.ACKNOWLEDGE_SECONDS == 3
    monkeypatch.setattr(interactions, "ACKNOWLEDGE_SECONDS", 0.05)
    interaction = await server.invoke(seed.member.id, seed.pinball.id, "silent")
    await asyncio.wait_for(interaction.acknowledged.wait(), PATIENCE)
    assert (interaction.state, interaction.failure) == (InteractionState.FAILED, "The application did not respond")


async def shown_panel(server: DiscordServer, seed: Seed) -> Message:
    return await server.answer(await server.invoke(seed.member.id, seed.pinball.id, "panel"))


@pytest.mark.usefixtures("bot")
async def test_a_button_changes_its_message_and_is_gone(server: DiscordServer, seed: Seed) -> None:
    message = await shown_panel(server, seed)
    assert await server.answer(await server.click(seed.member.id, message.id, "apply")) is message
    assert (message.content, message.components) == ("applied", [])
    with pytest.raises(SandboxError, match="no such button"):
        await server.click(seed.member.id, message.id, "apply")


@pytest.mark.usefixtures("bot")
async def test_a_menu_passes_what_was_chosen(server: DiscordServer, seed: Seed) -> None:
    message = await shown_panel(server, seed)
    answer = await server.answer(await server.choose(seed.member.id, message.id, "venue", ["874"]))
    assert (answer.content, answer.visible_to) == ("chose 874", seed.member.id)
    with pytest.raises(SandboxError, match="no such option"):
        await server.choose(seed.member.id, message.id, "venue", ["875"])


async def test_a_mention_works_without_the_content_intent_and_nothing_else_is_read(
    server: DiscordServer, seed: Seed, bot: Bot
) -> None:
    await server.say(seed.member.id, seed.pinball.id, "just chatting")
    await server.say(seed.member.id, seed.pinball.id, f"{server.state.bot.mention} ping")
    await server.wait_for_message(seed.pinball.id, lambda message: message.content == "pong")
    assert bot.heard[:2] == ["", f"{server.state.bot.mention} ping"]


async def test_with_the_content_intent_everything_is_read(server: DiscordServer, seed: Seed) -> None:
    intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
    async with running(server, Bot(intents)) as bot:
        await server.say(seed.member.id, seed.pinball.id, "just chatting")
        await server.invoke(seed.member.id, seed.pinball.id, "ping")
        await server.wait_for_message(seed.pinball.id, lambda message: message.content == "pong")
        assert bot.heard[0] == "just chatting"
