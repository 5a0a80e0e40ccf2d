"""What the commands share: their services, who may use them, and how they answer."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, TypeVar

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from dispinmap.discordbot import texts
from dispinmap.discordbot.errors import Context, ErrorDesk
from dispinmap.discordbot.markdown import clean, cut
from dispinmap.discordbot.permissions import lacking
from dispinmap.discordbot.services import Services
from dispinmap.discordbot.views import AskerView
from dispinmap.targets.models import ChannelRef
from dispinmap.targets.selection import reference
from dispinmap.targets.service import ListedTarget

_log = structlog.stdlib.get_logger(__name__)

SUGGESTIONS = 25
"""Discord shows no more than that."""
SUGGESTION_SECONDS = 2.5
"""Discord waits 3 seconds for suggestions."""

Choices = list[app_commands.Choice[str]]
Callback = Callable[..., Coroutine[Any, Any, None]]
HybridCommand = commands.HybridCommand[Any, ..., Any]
HybridGroup = commands.HybridGroup[Any, ..., Any]
Decorator = Callable[[Callback], HybridCommand]

# discord.py's decorators, with types: mypy infers nothing through the generic originals.
command: Callable[..., Decorator] = commands.hybrid_command
group: Callable[..., Callable[[Callback], HybridGroup]] = commands.hybrid_group
CogT = TypeVar("CogT", bound="ServiceCog")
Suggest = Callable[[CogT, discord.Interaction, str], Coroutine[Any, Any, Choices]]


def subcommand(parent: HybridGroup, *, name: str, description: str) -> Decorator:
    """A command of a group."""
    decorate: Callable[..., Decorator] = parent.command
    return decorate(name=name, description=description)


class ServiceCog(commands.Cog):
    """Commands that everyone may use."""

    def __init__(self, services: Services, desk: ErrorDesk) -> None:
        self.services = services
        self.desk = desk


class ChangingCog(ServiceCog):
    """Commands for members who may manage the channel.

    Discord hides them from everyone else by default. A server's owner can change that for each command, so the bot
    checks again.
    """

    def __init__(self, services: Services, desk: ErrorDesk) -> None:
        super().__init__(services, desk)
        if services.manage_channels_required:
            for one in self.get_commands():
                if isinstance(one, commands.HybridCommand | commands.HybridGroup) and one.app_command:
                    one.app_command.default_permissions = discord.Permissions(manage_channels=True)

    async def cog_check(self, ctx: commands.Context[Any]) -> bool:
        if not self.may_change(ctx.permissions):
            raise commands.MissingPermissions(["manage_channels"])
        return True

    def may_change(self, permissions: discord.Permissions) -> bool:
        """Checked again for each press of a button: the person may have lost the permission since the command."""
        return permissions.manage_channels or not self.services.manage_channels_required


def channel_ref(ctx: Context) -> ChannelRef:
    """The channel of the command. The bot refuses commands from outside a server before they get here."""
    if ctx.guild is None:
        raise commands.NoPrivateMessage
    return ChannelRef(ctx.channel.id, ctx.guild.id)


def lacking_for_cards(ctx: Context) -> list[str]:
    """The permissions that the bot still needs to post cards in the channel of the command."""
    # `ctx.bot_permissions` adds what answering an interaction allows, so take the interaction's own permissions.
    permissions = ctx.interaction.app_permissions if ctx.interaction else ctx.bot_permissions
    return lacking(permissions, in_thread=isinstance(ctx.channel, discord.Thread))


async def send_view(ctx: Context, text: str, view: AskerView) -> None:
    """Answer with buttons or menus, which are disabled when their time is up."""
    view.message = await ctx.send(text, view=view)


def suggesting(suggest: Suggest[CogT]) -> Suggest[CogT]:
    """An autocomplete that always answers in time. If it fails, that is reported and it suggests nothing."""

    @wraps(suggest)
    async def answer(cog: CogT, interaction: discord.Interaction, current: str) -> Choices:
        try:
            async with asyncio.timeout(SUGGESTION_SECONDS):
                return (await suggest(cog, interaction, current))[:SUGGESTIONS]
        except TimeoutError:
            _log.warning("suggestions_too_late", command=suggest.__name__, channel_id=interaction.channel_id)
            return []
        except Exception as error:  # noqa: BLE001 (the outermost frame: discord.py would log it but not count it)
            cog.desk.report(error, suggest.__name__, interaction.channel_id)
            return []

    return answer


def target_choices(listed: Sequence[ListedTarget], text: str) -> Choices:
    """The targets whose index or name contains `text`. Values are target ids, so they survive changes to the list."""
    wanted = text.strip().casefold()
    targets = [one.watched.target for one in listed]
    labels = [f"{one.index}: {clean(texts.label(one.watched.target))}" for one in listed]
    return [
        app_commands.Choice(name=cut(label, texts.OPTION_LIMIT), value=reference(target))
        for target, label in zip(targets, labels, strict=True)
        if wanted in label.casefold()
    ]
