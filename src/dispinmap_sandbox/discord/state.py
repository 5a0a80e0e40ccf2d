"""Everything this Discord remembers, with look-ups."""

from datetime import datetime, timedelta

from dispinmap.clock import Clock
from dispinmap_sandbox.discord import errors
from dispinmap_sandbox.discord.models import Attachment, Channel, Guild, Json, Member, Message, User
from dispinmap_sandbox.discord.permissions import permissions
from dispinmap_sandbox.discord.snowflakes import Snowflakes
from dispinmap_sandbox.errors import SandboxError

NONCE_MEMORY = timedelta(minutes=5)
"""How long a nonce prevents a repeat. Discord documents “the past few minutes” without a number."""


class State:
    """Servers, channels, people and posts, by id. Only the server's own parts change it."""

    def __init__(self, clock: Clock, bot_name: str = "DisPinMap") -> None:
        self.clock = clock
        self.snowflakes = Snowflakes(clock)
        self.bot = User(self.snowflakes.next(), bot_name.lower(), bot_name, bot=True)
        self.users: dict[int, User] = {self.bot.id: self.bot}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.attachments: dict[int, Attachment] = {}
        self.commands: dict[int | None, list[Json]] = {}
        """Registered commands by server id; None for the global ones."""
        self._nonces: dict[tuple[int, str], tuple[datetime, int]] = {}

    @property
    def application_id(self) -> int:
        return self.bot.id

    @property
    def bot_guilds(self) -> list[Guild]:
        """The servers the bot is in."""
        return [guild for guild in self.guilds.values() if self.bot.id in guild.members]

    def add_user(self, name: str, display_name: str) -> User:
        user = User(self.snowflakes.next(), name, display_name)
        self.users[user.id] = user
        return user

    def guild_channels(self, guild_id: int) -> list[Channel]:
        """In display order."""
        found = [channel for channel in self.channels.values() if channel.guild_id == guild_id]
        return sorted(found, key=lambda channel: (channel.position, channel.id))

    def channel_messages(self, channel_id: int, viewer_id: int | None = None) -> list[Message]:
        """Oldest first. With a viewer, what that person sees; without one, what everyone sees."""
        return [
            message
            for message in self.messages.values()
            if message.channel_id == channel_id
            and (message.visible_to is None if viewer_id is None else message.is_visible_to(viewer_id))
        ]

    def member(self, user_id: int, channel_id: int) -> Member:
        """Raises SandboxError if the channel does not exist, or that person is not a member of its server."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise SandboxError(f"There is no channel {channel_id}: choose one from the list.")
        member = self.guilds[channel.guild_id].members.get(user_id)
        if member is None:
            raise SandboxError(f"There is no member {user_id} in that server: choose one of its members.")
        return member

    def channel_permissions(self, user_id: int, channel: Channel) -> int:
        """The user's permission bits in that channel. 0 if they are not in the server."""
        guild = self.guilds[channel.guild_id]
        member = guild.members.get(user_id)
        return 0 if member is None else permissions(guild, member, channel)

    def accessible_channel(self, channel_id: int) -> Channel:
        """The channel, for the bot. Raises ApiError 10003 if it does not exist, 50001 if the bot has no access."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise errors.unknown_channel()
        if not self.channel_permissions(self.bot.id, channel):
            raise errors.missing_access()
        return channel

    def posted_with(self, author_id: int, nonce: str) -> Message | None:
        """The author's message with this nonce, if it is younger than `NONCE_MEMORY`."""
        at, message_id = self._nonces.get((author_id, nonce), (None, 0))
        if at is None or self.clock.now() - at > NONCE_MEMORY:
            return None
        return self.messages.get(message_id)

    def remember_nonce(self, message: Message) -> None:
        self._nonces[(message.author.id, str(message.nonce))] = (message.created_at, message.id)
