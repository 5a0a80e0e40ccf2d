"""Changing targets and settings: `/remove`, `/poll_rate` and `/notifications`."""

from collections.abc import Sequence

import discord
from discord import app_commands

from dispinmap.discordbot import kindmenu, texts
from dispinmap.discordbot.commands.base import (
    ChangingCog,
    Choices,
    channel_ref,
    command,
    send_view,
    suggesting,
    target_choices,
)
from dispinmap.discordbot.errors import Context
from dispinmap.discordbot.parsing import split_kinds
from dispinmap.discordbot.views import SeveralView
from dispinmap.targets.kinds import DEFAULT_KINDS, Kinds
from dispinmap.targets.naming import unquoted
from dispinmap.targets.selection import reference, select
from dispinmap.targets.values import parse_kinds, parse_minutes

_TARGET = "One target: its name or its number in /list; leave it out for the whole channel"


class TuneCog(ChangingCog):
    """Changes and removes targets."""

    @command(name="remove", aliases=["rm"], description="Stop watching a target")
    @app_commands.describe(target="The target’s name, or its number in /list")
    async def remove(self, ctx: Context, *, target: str) -> None:
        await ctx.send(texts.removed(await self.services.targets.remove(ctx.channel.id, unquoted(target))))

    @command(name="poll_rate", description="Set how often I post here, or about one target")
    @app_commands.describe(minutes="A whole number of minutes, or “default”", target=_TARGET)
    async def poll_rate(self, ctx: Context, minutes: str, *, target: str | None = None) -> None:
        rate = parse_minutes(unquoted(minutes))
        changed = await self.services.targets.set_poll_rate(channel_ref(ctx), rate, _selector(target))
        await ctx.send(texts.poll_rate_set(rate, changed))

    @command(name="notifications", description="Choose what I post here, or about one target")
    @app_commands.describe(
        kind="One or more kinds, such as “machines, scores”; leave it out for a menu", target=_TARGET
    )
    async def notifications(self, ctx: Context, *, kind: str | None = None, target: str | None = None) -> None:
        if kind and not ctx.interaction:
            kind, target = split_kinds(kind)
        selector = _selector(target)
        if kind:
            await ctx.send(await self._set_kinds(ctx, parse_kinds(unquoted(kind)), selector))
        else:
            await self._ask_for_kinds(ctx, selector)

    async def _set_kinds(self, ctx: Context, wanted: Kinds | None, selector: str | None) -> str:
        changed = await self.services.targets.set_kinds(channel_ref(ctx), wanted, selector)
        return texts.kinds_set(wanted, changed)

    async def _ask_for_kinds(self, ctx: Context, selector: str | None) -> None:
        if selector is None:
            channel = await self.services.targets.channel(ctx.channel.id)
            options = kindmenu.channel_options(channel.kinds if channel else DEFAULT_KINDS, DEFAULT_KINDS)
            target = None
        else:
            watched = select(await self.services.targets.targets(ctx.channel.id), selector)
            options = kindmenu.target_options(watched)
            target = watched.target
            selector = reference(target)
        before = [option.value for option in options if option.default]

        async def chosen(picked: Sequence[str]) -> str:
            return await self._set_kinds(ctx, kindmenu.picked_kinds(before, picked), selector)

        view = SeveralView(ctx.author.id, self.desk, options, chosen, self.may_change)
        await send_view(ctx, texts.which_kinds(target), view)

    @notifications.autocomplete("kind")
    @suggesting
    async def suggest_kinds(self, _interaction: discord.Interaction, current: str) -> Choices:
        return [app_commands.Choice(name=text, value=text) for text in kindmenu.completions(current)]

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
