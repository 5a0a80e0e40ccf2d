"""`/check`: ask Pinball Map now."""

from discord.ext import commands

from dispinmap.discordbot import texts
from dispinmap.discordbot.commands.base import ServiceCog
from dispinmap.discordbot.commands.decorators import command
from dispinmap.discordbot.errors import Context

COOLDOWN_SECONDS = 15.0
"""Each check is a request to Pinball Map on top of the regular ones."""


class CheckCog(ServiceCog):
    """Nobody has to wait for the next poll."""

    @command(name="check", description="Ask Pinball Map now and post what is new")
    @commands.cooldown(1, COOLDOWN_SECONDS, commands.BucketType.channel)
    async def check(self, ctx: Context) -> None:
        if not await self.services.targets.targets(ctx.channel.id):
            await ctx.send(texts.NO_TARGETS)
            return
        result = await self.services.check(ctx.channel.id)
        if result.new and not result.problem:
            await ctx.send(texts.checked(result.new))
            return
        known = await self.services.targets.latest_known(ctx.channel.id)
        await ctx.send(texts.nothing_new(result.problem, known))
