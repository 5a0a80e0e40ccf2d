"""docs/commands.md and the README's table say what the bot registers, and its examples work as written."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import discord
import pytest
from discord import app_commands

from dispinmap.discordbot.bot import DisPinMapBot
from dispinmap.discordbot.commands import all_cogs
from dispinmap.discordbot.commands.base import ChangingCog
from dispinmap.discordbot.commands.check import COOLDOWN_SECONDS
from dispinmap.discordbot.helptext import CommandHelp, described, written
from dispinmap.discordbot.services import CheckResult, Services
from dispinmap.health import HealthReport
from dispinmap.pinballmap import client
from dispinmap.targets.kinds import NotificationKind
from dispinmap_sandbox.discord.models import Message
from tests.docs.pages import blocks, code, read, rows, sections
from tests.fakes.clock import ManualClock
from tests.fakes.stage import Stage, open_stage, parts, text_of
from tests.fakes.target_service import FakeTargetService

PAGE = read("docs/commands.md")
SECTIONS = {heading.strip("/"): body for heading, body in sections(PAGE, 3).items()}
MENTION = "@DisPinMap "


async def _check(_channel_id: int) -> CheckResult:
    return CheckResult(0)


async def _health() -> HealthReport:
    raise NotImplementedError


async def _feed_read_at() -> datetime | None:
    raise NotImplementedError


@pytest.fixture
async def bot() -> DisPinMapBot:
    """Every command registered, nothing connected."""
    bot = DisPinMapBot(Services(FakeTargetService(), _check, _health, _feed_read_at, ManualClock()))
    for cog in all_cogs(bot.services, bot.desk):
        await bot.add_cog(cog)
    return bot


def _registered(bot: DisPinMapBot) -> dict[str, CommandHelp]:
    leaves = (command for command in bot.tree.walk_commands() if isinstance(command, app_commands.Command))
    return {one.name: one for one in described(leaves)}


async def test_every_command_has_a_section_and_no_other_has(bot: DisPinMapBot) -> None:
    assert set(SECTIONS) == set(_registered(bot))


async def test_a_section_shows_how_its_command_is_written_and_every_parameter(bot: DisPinMapBot) -> None:
    for name, command in _registered(bot).items():
        section = SECTIONS[name]
        assert f"`{written(command)}`" in section
        table = {cells[0].strip("`"): cells[1:] for cells in rows(section) if cells[0]}
        table.pop("Parameter", None)
        assert set(table) == {parameter.name for parameter in command.parameters}
        for parameter in command.parameters:
            necessity, _meaning = table[parameter.name]
            assert necessity == ("required" if parameter.required else "optional")


def test_every_kind_is_explained() -> None:
    explained = re.findall(r"^- `(\w+)`: ", SECTIONS["notifications"], re.MULTILINE)
    assert explained == list(NotificationKind)


async def test_pages_say_who_may_use_a_command(bot: DisPinMapBot) -> None:
    listed = {cells[0] for cells in rows(read("README.md")) if cells[0].startswith("`/")}
    for name in _registered(bot):
        changes = isinstance(getattr(bot.get_command(name), "cog", None), ChangingCog)
        assert ("*Manage Channels.*" if changes else "*Everybody.*") in SECTIONS[name]
        assert (f"`/{name}` ✎" if changes else f"`/{name}`") in listed


def test_the_invitation_asks_for_the_permissions_that_are_explained_and_no_others() -> None:
    readme = read("README.md")
    link = next(line for block in blocks(readme) for line in block.splitlines() if "oauth2" in line)
    query = parse_qs(urlsplit(link).query)
    assert query["scope"] == ["bot applications.commands"]
    asked = discord.Permissions(int(query["permissions"][0]))
    explained = [cells[0] for cells in rows(sections(readme, 3)["2. The invitation"]) if cells[0] != "Permission"]
    names = {title.lower().replace(" ", "_"): True for title in explained}
    assert asked == discord.Permissions(**names)


@pytest.fixture
async def stage(database_file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    # Without this, the limit on requests to Pinball Map would make the test last half a minute.
    monkeypatch.setattr(client, "BURST", 1000)
    async with open_stage(database_file) as stage:
        await stage.start_bot()
        yield stage


async def test_every_example_works_as_written_in_the_order_of_the_page(stage: Stage) -> None:
    for name, section in SECTIONS.items():
        for line in "".join(blocks(section, "text")).splitlines():
            answer = await _give(stage, name, line)
            assert _is_good(answer), f"{line}: {text_of(answer)}"


async def test_what_the_readme_says_to_try_first_works(stage: Stage) -> None:
    story = read("README.md").partition("**What to try first.**")[2].partition("\n## ")[0]
    lines = [piece for piece in code(story) if piece.startswith("/")]
    assert len(lines) > 3
    for line in lines:
        name = next(name for name in SECTIONS if line.startswith(f"/{name}"))
        assert _is_good(await _give(stage, name, line)), line


async def _give(stage: Stage, name: str, line: str) -> Message:
    stage.pass_time(COOLDOWN_SECONDS)
    if line.startswith(MENTION):
        return await _say(stage, line.removeprefix(MENTION))
    return await stage.command(name, **_options(name, line.removeprefix(f"/{name}")))


def _options(name: str, text: str) -> dict[str, object]:
    """The value after each parameter's name in a slash command."""
    usage = next(piece for piece in code(SECTIONS[name]) if piece.startswith(f"/{name}"))
    names = "|".join(re.findall(r"(\w+):", usage)) or "(?!)"
    words = re.split(rf"(?:^|\s)({names}):", text)
    values = dict(zip(words[1::2], words[2::2], strict=True))
    return {key: float(value) if key.endswith("itude") else value for key, value in values.items()}


async def _say(stage: Stage, text: str) -> Message:
    server = stage.services.discord
    bot_id = server.state.bot.id
    said = await server.say(stage.admin_id, stage.channel_id, f"<@{bot_id}> {text}")
    return await server.wait_for_message(
        stage.channel_id, lambda message: message.id > said.id and message.author.id == bot_id
    )


def _is_good(answer: Message) -> bool:
    """Whether it is no failure: something done, a table, an embed, a choice, or one of these beginnings."""
    beginnings = ("✓", "```", "Nothing new since", "I can apply 1 of 1 lines", "`/")
    return answer.content.startswith(beginnings) or bool(answer.embeds) or bool(parts(answer))
