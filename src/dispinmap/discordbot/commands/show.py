"""Commands that only look: `/list` and `/monitor_health`."""

import discord

from dispinmap.discordbot import texts
from dispinmap.discordbot.commands.base import ServiceCog, command, send_view
from dispinmap.discordbot.errors import Context
from dispinmap.discordbot.healthcard import health_embed
from dispinmap.discordbot.target_table import target_pages
from dispinmap.discordbot.views import PageView


class ShowCog(ServiceCog):
    """Shows the channel's targets and the bot's health."""

    @command(name="list", description="Show what this channel watches")
    async def list_targets(self, ctx: Context) -> None:
        listed = await self.services.targets.targets(ctx.channel.id)
        if not listed:
            await ctx.send(texts.NO_TARGETS)
            return
        pages = target_pages(listed, await self.services.feed_read_at())
        if len(pages) == 1:
            await ctx.send(pages[0])
            return
        await send_view(ctx, pages[0], PageView(ctx.author.id, self.desk, pages))

    @command(name="monitor_health", description="Show the bot’s polls, queue, errors and backup")
    async def monitor_health(self, ctx: Context) -> None:
        report = await self.services.health()
        await ctx.send(embed=discord.Embed.from_dict(health_embed(report)))
