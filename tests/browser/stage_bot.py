"""A small real discord.py bot that uses everything the chat page can show."""

import io
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

VENUES = ("Ground Kontrol Classic Arcade", "Ground Round", "Quarterworld")


class PressView(discord.ui.View):
    """One button that counts, one that cannot be pressed."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.pressed = 0

    @discord.ui.button(label="Press", style=discord.ButtonStyle.primary, custom_id="press")
    async def press(self, interaction: discord.Interaction, _button: discord.ui.Button["PressView"]) -> None:
        self.pressed += 1
        await interaction.response.edit_message(content=f"pressed {self.pressed}")

    @discord.ui.button(label="Never", style=discord.ButtonStyle.danger, custom_id="never", disabled=True)
    async def never(self, _interaction: discord.Interaction, _button: discord.ui.Button["PressView"]) -> None:
        """Cannot be pressed."""


class MenuView(discord.ui.View):
    """A menu whose choice replaces it."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.select(
        custom_id="menu",
        placeholder="Which Springfield?",
        options=[
            discord.SelectOption(label="Springfield", description="Illinois", value="il"),
            discord.SelectOption(label="Springfield", description="Missouri", value="mo"),
        ],
    )
    async def menu(self, interaction: discord.Interaction, select: discord.ui.Select["MenuView"]) -> None:
        await interaction.response.edit_message(content=f"chosen {select.values[0]}", view=None)


add = app_commands.Group(name="add", description="Watch something")


@add.command(name="location", description="Watch one location")
@app_commands.describe(name="Name, id or link", note="Anything else")
async def add_location(interaction: discord.Interaction, name: str, note: str = "") -> None:
    await interaction.response.send_message(f"Watching [{name}] note [{note}]")


@add_location.autocomplete("name")
async def venues(_interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    found = [venue for venue in VENUES if current.lower() in venue.lower()]
    return [app_commands.Choice(name=venue, value=f"id-{VENUES.index(venue)}") for venue in found]


@app_commands.command(description="How often")
@app_commands.default_permissions(manage_channels=True)
async def rate(interaction: discord.Interaction, minutes: app_commands.Range[int, 1, 60]) -> None:
    await interaction.response.send_message(f"Every {minutes} minutes")


@app_commands.command(description="Which kinds")
@app_commands.choices(kind=[app_commands.Choice(name=kind.title(), value=kind) for kind in ("machines", "comments")])
async def kinds(interaction: discord.Interaction, kind: str) -> None:
    await interaction.response.send_message(f"Kind {kind}")


@app_commands.command(description="Only for you")
async def secret(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("between us", ephemeral=True)


@app_commands.command(description="A button")
async def button(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("not pressed", view=PressView())


@app_commands.command(description="A menu")
async def menu(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("choose", view=MenuView())


@app_commands.command(description="Thinks until it is told the answer")
async def think(interaction: discord.Interaction) -> None:
    await interaction.response.defer(thinking=True)


@app_commands.command(description="Never answers")
async def silence(_interaction: discord.Interaction) -> None:
    """Says nothing, so that Discord gives up."""


@app_commands.command(description="A file")
async def export(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("here", file=discord.File(io.BytesIO(b"/add location 874\n"), "set-up.txt"))


@app_commands.command(name="import", description="Read a file")
async def import_(interaction: discord.Interaction, file: discord.Attachment) -> None:
    await interaction.response.send_message(f"read {(await file.read()).decode()}")


class StageBot(commands.AutoShardedBot):
    """`waiting` is the newest interaction, for a test to answer later."""

    def __init__(self) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned, intents=discord.Intents(guilds=True, guild_messages=True)
        )
        self.waiting: discord.Interaction | None = None

    async def setup_hook(self) -> None:
        self.tree.add_command(add)
        self._add(rate, kinds, secret, button, menu, think, silence, export, import_)
        await self.tree.sync()

    def _add(self, *commands_: Any) -> None:  # noqa: ANN401 - each has its own parameters in its type
        for command in commands_:
            self.tree.add_command(command)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self.waiting = interaction

    async def on_message(self, message: discord.Message) -> None:
        if self.user is not None and self.user.mentioned_in(message) and not message.author.bot:
            await message.channel.send(f"heard {message.clean_content}")
