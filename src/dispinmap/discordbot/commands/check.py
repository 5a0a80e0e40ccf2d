"""`/check`: look at Pinball Map now."""

from discord.ext import commands

from dispinmap.discordbot import texts
from dispinmap.discordbot.commands.base import ServiceCog, command
from dispinmap.discordbot.errors import Context, ErrorDesk
from dispinmap.discordbot.services import Services

COOLDOWN_SECONDS = 10.0
"""Between two checks in one channel. The feed would not be read again sooner anyway, see `feed.schedule.FRESH`."""


class CheckCog(ServiceCog):
    """Looks at Pinball Map without waiting for the next poll."""

    def __init__(self, services: Services, desk: ErrorDesk) -> None:
        super().__init__(services, desk)
        self._cooldowns = commands.CooldownMapping[Context].from_cooldown(
            1, COOLDOWN_SECONDS, commands.BucketType.channel
        )

    @command(name="check", description="Check Pinball Map now and post what’s new")
    async def check(self, ctx: Context) -> None:
        self._cool_down(ctx)
        if not await self.services.targets.targets(ctx.channel.id):
            await ctx.send(texts.NO_TARGETS)
            return
        result = await self.services.check(ctx.channel.id)
        if result.new:
            await ctx.send(texts.checked(result.new, result.problem))
            return
        known = await self.services.targets.latest_known(ctx.channel.id)
        await ctx.send(texts.nothing_new(result.problem, known))

    def _cool_down(self, ctx: Context) -> None:
        # discord.py's own decorator counts per class, so for all bots of a process, and uses its own clock.
        now = self.services.clock.now().timestamp()
        bucket = self._cooldowns.get_bucket(ctx, now)
        if bucket is not None and (wait := bucket.update_rate_limit(now)):
            raise commands.CommandOnCooldown(bucket, wait, commands.BucketType.channel)
