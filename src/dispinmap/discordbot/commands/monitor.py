"""`/monitor_health`: how the bot is doing."""

import discord

from dispinmap.discordbot.commands.base import ServiceCog
from dispinmap.discordbot.commands.decorators import command
from dispinmap.discordbot.errors import Context
from dispinmap.discordbot.healthcard import health_embed


class MonitorCog(ServiceCog):
    """The bot tells what it knows of its own state."""

    @command(name="monitor_health", description="Show the bot’s polls, queue, errors and backup")
    async def monitor_health(self, ctx: Context) -> None:
        report = await self.services.health()
        await ctx.send(embed=discord.Embed.from_dict(health_embed(report)))
