"""What the owner of a server can do: change channels and permissions, invite the bot and remove it."""

from dispinmap_sandbox.discord import payloads
from dispinmap_sandbox.discord.events import Event, EventKind
from dispinmap_sandbox.discord.models import Channel, Guild, Json, Member, Overwrite, Role, User
from dispinmap_sandbox.discord.parts import Parts
from dispinmap_sandbox.discord.permissions import EVERYONE, Permission
from dispinmap_sandbox.discord.sessions import Intent
from dispinmap_sandbox.errors import SandboxError

BOT_PERMISSIONS = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
)
"""The permissions of the bot's own role when it is invited."""


class Owner:
    """Changes a server and tells the gateway. Raises SandboxError if there is no such server or channel."""

    def __init__(self, parts: Parts) -> None:
        self._state = parts.state
        self._gateway = parts.gateway
        self._events = parts.events

    def add_guild(self, name: str, owner: User, *others: User) -> Guild:
        """Add a server without channels. These people and the bot are in it."""
        guild = Guild(self._state.snowflakes.next(), name, owner.id)
        guild.roles[guild.id] = Role(guild.id, "@everyone", EVERYONE)
        self._state.guilds[guild.id] = guild
        for user in (owner, *others):
            guild.members[user.id] = Member(user, self._state.clock.now())
        self.add_bot(guild.id)
        return guild

    def add_role(self, guild: Guild, name: str, permissions: int, *members: User, managed: bool = False) -> Role:
        role = Role(self._state.snowflakes.next(), name, permissions, position=len(guild.roles), managed=managed)
        guild.roles[role.id] = role
        for user in members:
            guild.members[user.id].role_ids.append(role.id)
        return role

    def add_bot(self, guild_id: int) -> None:
        """Invite the bot. Does nothing if it is already there."""
        guild, bot = self.guild(guild_id), self._state.bot
        if bot.id in guild.members:
            return
        guild.members[bot.id] = Member(bot, self._state.clock.now())
        self.add_role(guild, bot.display_name, BOT_PERMISSIONS, bot, managed=True)
        self._gateway.guild_joined(guild)
        self._changed()

    def remove_bot(self, guild_id: int) -> None:
        """Remove the bot and its role. Does nothing if the bot is not there."""
        guild = self.guild(guild_id)
        member = guild.members.pop(self._state.bot.id, None)
        if member is None:
            return
        for role_id in member.role_ids:
            del guild.roles[role_id]
        self._gateway.dispatch("GUILD_DELETE", {"id": str(guild.id)}, intent=Intent.GUILDS, guild_id=guild.id)
        self._changed()

    def add_channel(self, guild_id: int, name: str) -> Channel:
        guild = self.guild(guild_id)
        position = len(self._state.guild_channels(guild.id))
        channel = Channel(self._state.snowflakes.next(), guild.id, name, position)
        self._state.channels[channel.id] = channel
        self._tell("CHANNEL_CREATE", channel)
        return channel

    def delete_channel(self, channel_id: int) -> None:
        """Delete the channel and its messages."""
        channel = self.channel(channel_id)
        del self._state.channels[channel.id]
        messages = self._state.messages
        for message_id in [message.id for message in messages.values() if message.channel_id == channel.id]:
            del messages[message_id]
        self._tell("CHANNEL_DELETE", channel)

    def overwrite(self, channel_id: int, *, allow: int = 0, deny: int = 0) -> None:
        """Give the bot permissions in one channel, or take them away."""
        channel, bot = self.channel(channel_id), self._state.bot
        entry = channel.overwrites.setdefault(bot.id, Overwrite(bot.id, is_member=True))
        entry.allow = entry.allow & ~deny | allow
        entry.deny = entry.deny & ~allow | deny
        self._tell("CHANNEL_UPDATE", channel)

    def guild(self, guild_id: int) -> Guild:
        try:
            return self._state.guilds[guild_id]
        except KeyError:
            raise SandboxError(f"There is no server {guild_id}: choose one from the list.") from None

    def channel(self, channel_id: int) -> Channel:
        try:
            return self._state.channels[channel_id]
        except KeyError:
            raise SandboxError(f"There is no channel {channel_id}: choose one from the list.") from None

    def _tell(self, name: str, channel: Channel) -> None:
        if self._state.bot.id in self._state.guilds[channel.guild_id].members:
            payload: Json = payloads.channel(channel)
            self._gateway.dispatch(name, payload, intent=Intent.GUILDS, guild_id=channel.guild_id)
        self._changed()

    def _changed(self) -> None:
        self._events.publish(Event(EventKind.CHANNELS))
