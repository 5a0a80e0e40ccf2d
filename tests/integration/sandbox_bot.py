"""A small real bot with one of each thing that DisPinMap uses, run against the embedded Discord."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from dispinmap.clock import Clock
from dispinmap_sandbox.discord.server import DiscordServer

TOKEN = "sandbox-token"
PATIENCE = 30


@asynccontextmanager
async def serving(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, *, rate_limits: bool = False
) -> AsyncIterator[DiscordServer]:
    """A server that discord.py finds until the block ends."""
    server = DiscordServer(clock, token=TOKEN, rate_limits=rate_limits)
    await server.start()
    monkeypatch.setattr(Route, "BASE", server.api_base)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
    try:
        yield server
    finally:
        await server.stop()


class Panel(discord.ui.View):
    """One button and one menu."""

    @discord.ui.button(label="Apply", custom_id="apply")
    async def apply(self, interaction: discord.Interaction, _button: discord.ui.Button["Panel"]) -> None:
        await interaction.response.edit_message(content="applied", view=None)

    @discord.ui.select(
        custom_id="venue",
        options=[discord.SelectOption(label="Ground Kontrol", value="874"), discord.SelectOption(label="Wedgehead")],
    )
    async def venue(self, interaction: discord.Interaction, menu: discord.ui.Select["Panel"]) -> None:
        await interaction.response.send_message(f"chose {menu.values[0]}", ephemeral=True)


class Bot(commands.AutoShardedBot):
    """A bot with the commands of `Tools` that records its events."""

    def __init__(self, intents: discord.Intents | None = None) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=intents or discord.Intents(guilds=True, guild_messages=True),
            guild_ready_timeout=0.05,
        )
        self.heard: list[str] = []
        self.events: asyncio.Queue[str] = asyncio.Queue()

    async def setup_hook(self) -> None:
        await self.add_cog(Tools())
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Without discord.py's five seconds before identifying again."""

    async def on_message(self, message: discord.Message, /) -> None:
        self.heard.append(message.content)
        await self.process_commands(message)

    async def on_ready(self) -> None:
        self.events.put_nowait("ready")

    async def on_resumed(self) -> None:
        self.events.put_nowait("resumed")

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self.events.put_nowait(f"joined {guild.name}")

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self.events.put_nowait(f"removed {guild.name}")

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self.events.put_nowait(f"deleted {channel.name}")

    async def happened(self, event: str) -> None:
        """Wait for the next event, which must be this one."""
        assert await asyncio.wait_for(self.events.get(), PATIENCE) == event

    def channel(self, channel_id: int) -> discord.TextChannel:
        channel = self.get_channel(channel_id)
        assert isinstance(channel, discord.TextChannel)
        return channel


Context = commands.Context[Bot]
HybridCommand = commands.HybridCommand[Any, ..., Any]
HybridGroup = commands.HybridGroup[Any, ..., Any]
Callback = Callable[..., Coroutine[Any, Any, Any]]

# mypy cannot solve the type variables of discord.py's own decorators.
hybrid_command: Callable[[], Callable[[Callback], HybridCommand]] = commands.hybrid_command
hybrid_group: Callable[[], Callable[[Callback], HybridGroup]] = commands.hybrid_group


def subcommand(group: HybridGroup) -> Callable[[Callback], HybridCommand]:
    decorate: Callable[[], Callable[[Callback], HybridCommand]] = group.command
    return decorate()


class Tools(commands.Cog):
    @hybrid_command()
    async def ping(self, ctx: Context) -> None:
        """Answer at once"""
        await ctx.send("pong")

    @hybrid_group()
    async def add(self, ctx: Context) -> None:
        """Add something"""

    @subcommand(add)
    async def location(self, ctx: Context, name: str, radius: int = 25) -> None:
        """Add a location"""
        await ctx.send(f"added {name} {radius}")

    @location.autocomplete("name")
    async def suggest(self, _interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current} Kontrol", value="874")]

    @hybrid_command()
    async def slow(self, ctx: Context) -> None:
        """Answer later"""
        await ctx.defer()
        await ctx.send("first")
        await ctx.send("second", file=discord.File(io.BytesIO(b"lines"), "export.txt"))

    @hybrid_command()
    async def panel(self, ctx: Context) -> None:
        """Show controls"""
        await ctx.send("choose", view=Panel(timeout=None))

    @hybrid_command()
    @app_commands.default_permissions(manage_channels=True)
    async def secret(self, ctx: Context) -> None:
        """For administrators"""
        await ctx.send("psst", ephemeral=True)

    @hybrid_command()
    async def read(self, ctx: Context, file: discord.Attachment) -> None:
        """Read a file"""
        await ctx.send((await file.read()).decode())

    @hybrid_command()
    async def silent(self, ctx: Context) -> None:
        """Never answer"""


async def until_described(bot: discord.Client) -> None:
    """Return once the bot knows its servers: on a busy machine discord.py says it is ready earlier."""
    while any(guild.unavailable for guild in bot.guilds):
        await bot.wait_for("guild_available", timeout=PATIENCE)


@asynccontextmanager
async def running(server: DiscordServer, bot: Bot) -> AsyncIterator[Bot]:
    """The bot, ready, until the block ends."""
    async with asyncio.TaskGroup() as tasks, bot:
        tasks.create_task(bot.start(TOKEN))
        await server.wait_connected()
        await bot.happened("ready")
        await until_described(bot)
        yield bot
