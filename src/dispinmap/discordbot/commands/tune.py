"""Changing what is watched: `/remove`, `/poll_rate`, `/notifications`."""

from typing import Literal

import discord
from discord import app_commands

from dispinmap.discordbot import texts
from dispinmap.discordbot.commands.base import ChangingCog, Choices, channel_ref, suggesting, target_choices
from dispinmap.discordbot.commands.decorators import command
from dispinmap.discordbot.errors import Context
from dispinmap.targets.naming import unquoted
from dispinmap.targets.values import parse_kinds, parse_minutes

_TARGET = "One target, by its number in the list or its name; the whole channel if left out"


class TuneCog(ChangingCog):
    """Targets are changed and removed here."""

    @command(name="remove", aliases=["rm"], description="Stop watching a target")
    @app_commands.describe(target="Its number in the list, or its name")
    async def remove(self, ctx: Context, *, target: str) -> None:
        await ctx.send(texts.removed(await self.services.targets.remove(ctx.channel.id, unquoted(target))))

    @command(name="poll_rate", description="Set how often the channel, or one target, is served")
    @app_commands.describe(minutes="A whole number of minutes, or “default”", target=_TARGET)
    async def poll_rate(self, ctx: Context, minutes: str, *, target: str | None = None) -> None:
        rate = parse_minutes(unquoted(minutes))
        changed = await self.services.targets.set_poll_rate(channel_ref(ctx), rate, _selector(target))
        await ctx.send(texts.poll_rate_set(rate, changed))

    @command(name="notifications", description="Set what the channel, or one target, is told about")
    @app_commands.describe(kind="Machines added and removed, comments, or all", target=_TARGET)
    async def notifications(
        self, ctx: Context, kind: Literal["machines", "comments", "all", "default"], *, target: str | None = None
    ) -> None:
        wanted = parse_kinds(kind)
        changed = await self.services.targets.set_kinds(channel_ref(ctx), wanted, _selector(target))
        await ctx.send(texts.kinds_set(wanted, changed))

    @remove.autocomplete("target")
    @poll_rate.autocomplete("target")
    @notifications.autocomplete("target")
    @suggesting
    async def suggest_targets(self, interaction: discord.Interaction, current: str) -> Choices:
        if interaction.channel_id is None:
            return []
        return target_choices(await self.services.targets.targets(interaction.channel_id), current)


def _selector(target: str | None) -> str | None:
    return unquoted(target) or None if target else None
