"""The bot: discord.py with our commands, and a record of the servers it is in."""

import sys

import aiohttp
import discord
import structlog
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from dispinmap.clock import SystemClock
from dispinmap.discordbot.commands import all_cogs
from dispinmap.discordbot.errors import Context, ErrorDesk, did_you_mean
from dispinmap.discordbot.pacing import Pace, paced
from dispinmap.discordbot.permissions import may_write
from dispinmap.discordbot.services import Services
from dispinmap.discordbot.views import answer_expired
from dispinmap.errors import DisPinMapError, SettingsError

_log = structlog.stdlib.get_logger(__name__)

MAX_RATE_LIMIT_WAIT_SECONDS = 30.0
"""discord.py waits out a rate limit up to this long (its smallest setting). The outbox waits out longer ones."""


GUILD_WAIT_SECONDS = 0.05
"""How long discord.py waits for the next server's description before it calls itself ready. Its default is 2 seconds.

Discord first sends all servers' ids at once, then their descriptions one right after the other. `reconcile_guilds`
therefore also knows the servers that are described later, and `DiscordDestination.find` waits for them.
https://docs.discord.com/developers/events/gateway-events#ready
"""


def use_api_base(url: str) -> None:
    """Send discord.py's requests to `url` instead of Discord.

    This changes discord.py's route, so it applies to the whole process. The gateway's address comes from `url` too, see
    `DisPinMapBot.launch_shard`.
    """
    Route.BASE = url.rstrip("/")


class Tree(app_commands.CommandTree["DisPinMapBot"]):
    """Slash commands that never fail silently."""

    async def on_error(
        self, interaction: discord.Interaction["DisPinMapBot"], error: app_commands.AppCommandError, /
    ) -> None:
        name = interaction.command.qualified_name if interaction.command else "unknown"
        await interaction.client.desk.answer_interaction(interaction, error, name)


class DisPinMapBot(commands.AutoShardedBot):
    """Answers commands, and tells the service which servers it is in. `DiscordDestination` posts the messages."""

    def __init__(self, services: Services, *, shard_count: int | None = None) -> None:
        prefix = services.command_prefix
        super().__init__(
            command_prefix=commands.when_mentioned_or(prefix) if prefix else commands.when_mentioned,
            intents=_intents(prefix),
            tree_cls=Tree,
            help_command=None,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            case_insensitive=True,
            strip_after_prefix=True,
            max_ratelimit_timeout=MAX_RATE_LIMIT_WAIT_SECONDS,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=GUILD_WAIT_SECONDS,
            # Discord's limit counts real time, even if the bot runs on another clock.
            http_trace=paced(Pace(SystemClock())),
            shard_count=shard_count,
        )
        self.services = services
        self.desk = ErrorDesk(services.failed)
        self.check(_in_a_server)
        self.check(_can_answer)
        self.before_invoke(_defer)

    async def serve(self, token: str) -> None:
        """Log in and stay connected until closed.

        Raises SettingsError if Discord refuses the token or the intents, DisPinMapError if it cannot be reached.
        """
        try:
            await self.start(token)
        except discord.LoginFailure:
            raise SettingsError(
                "DISCORD_TOKEN was refused by Discord: reset the token in the developer portal and set the new one."
            ) from None
        except discord.PrivilegedIntentsRequired:
            raise SettingsError(
                "COMMAND_PREFIX needs the message content intent: switch it on under Bot in the developer portal, "
                "or leave COMMAND_PREFIX empty."
            ) from None
        except (aiohttp.ClientError, OSError, discord.HTTPException, discord.GatewayNotFound) as error:
            raise DisPinMapError(
                f"Discord could not be reached at the start ({type(error).__name__}): check the network and "
                "DISCORD_API_BASE, and start again."
            ) from error

    async def setup_hook(self) -> None:
        for cog in all_cogs(self.services, self.desk):
            await self.add_cog(cog)
        await self.tree.sync()

    async def launch_shard(self, gateway: yarl.URL, shard_id: int, *, initial: bool = False) -> None:
        # After an invalid session discord.py connects to this constant, not to the address that the API gave.
        DiscordWebSocket.DEFAULT_GATEWAY = gateway
        await super().launch_shard(gateway, shard_id, initial=initial)

    async def on_ready(self) -> None:
        """Every shard is connected: catch up with the servers that the bot joined or left while it was away."""
        if self.is_closed():
            # discord.py may call this after `close()`, when the database is about to be closed.
            return
        _log.info("discord_ready", guilds=len(self.guilds))
        await self.services.targets.reconcile_guilds([guild.id for guild in self.guilds])

    async def on_interaction(self, interaction: discord.Interaction["DisPinMapBot"], /) -> None:
        await self.desk.tell(lambda: answer_expired(interaction), "expired controls", interaction.channel_id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self.services.targets.channel_deleted(channel.id)

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        await self.services.targets.channel_deleted(payload.thread_id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self.services.targets.joined_guild(guild.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.services.targets.left_guild(guild.id)

    async def on_error(self, event_method: str, /, *_args: object, **_kwargs: object) -> None:
        error = sys.exception()
        if error is not None:
            self.desk.report(error, event_method)

    async def on_command_error(  # type: ignore[override]  # discord.py leaves the bot's type open, here it is ours
        self, context: Context, exception: commands.CommandError, /
    ) -> None:
        if isinstance(exception, commands.CommandNotFound):
            await self._unknown(context)
        else:
            await self.desk.answer_context(context, exception)

    async def _unknown(self, ctx: Context) -> None:
        word = ctx.invoked_with or ""
        # "!!!" and "@bot ?" are conversation, not commands.
        if word[:1].isalpha():
            names = {name for command in self.commands for name in (command.name, *command.aliases)}
            await self.desk.tell(lambda: ctx.send(did_you_mean(word, sorted(names))), "unknown", ctx.channel.id)


def _intents(prefix: str) -> discord.Intents:
    return discord.Intents(guilds=True, guild_messages=True, message_content=bool(prefix))


async def _in_a_server(ctx: Context) -> bool:
    if ctx.guild is None:
        raise commands.NoPrivateMessage
    return True


async def _can_answer(ctx: Context) -> bool:
    """Refuse a command if the bot could not answer it. Answers to slash commands need no permission."""
    in_thread = isinstance(ctx.channel, discord.Thread)
    if ctx.interaction is None and not may_write(ctx.bot_permissions, in_thread=in_thread):
        raise commands.BotMissingPermissions(["send_messages"])
    return True


async def _defer(ctx: Context) -> None:
    """Discord gives us 3 seconds for a first answer, and 15 minutes more after this one."""
    await ctx.defer()
