"""Looking at what is watched: `/list`, `/export`."""

import io

import discord

from dispinmap.discordbot import texts
from dispinmap.discordbot.commands.base import ServiceCog, send_view
from dispinmap.discordbot.commands.decorators import command
from dispinmap.discordbot.errors import Context
from dispinmap.discordbot.tables import target_pages
from dispinmap.discordbot.views import PageView


class ShowCog(ServiceCog):
    """The channel's set-up is read here."""

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

    @command(name="export", description="Show this channel’s set-up as text that /import reads back")
    async def export(self, ctx: Context) -> None:
        text = await self.services.targets.export(ctx.channel.id)
        if not text.strip():
            await ctx.send(texts.NOTHING_TO_EXPORT)
        elif (block := texts.as_code(text)) is not None:
            await ctx.send(block)
        else:
            file = discord.File(io.BytesIO(text.encode()), filename="dispinmap-export.txt")
            await ctx.send("The set-up of this channel; `/import` reads it back, here or elsewhere.", file=file)
