"""What a person can do in a channel. Refuses what Discord's own client would not offer."""

from collections.abc import Mapping, Sequence

from dispinmap_sandbox.discord import payloads
from dispinmap_sandbox.discord.commands import Found, OptionType, find, may_use, read_options
from dispinmap_sandbox.discord.components import BUTTON, STRING_SELECT, check_selection, usable
from dispinmap_sandbox.discord.errors import ApiError
from dispinmap_sandbox.discord.models import (
    Attachment,
    Channel,
    Choice,
    Interaction,
    InteractionKind,
    Json,
    Message,
    Upload,
    User,
)
from dispinmap_sandbox.discord.parts import Parts
from dispinmap_sandbox.discord.permissions import Permission, has
from dispinmap_sandbox.discord.posts import Body
from dispinmap_sandbox.errors import SandboxError


class People:
    """Every method raises SandboxError with a sentence for the person, if Discord would refuse."""

    def __init__(self, parts: Parts) -> None:
        self._state = parts.state
        self._posts = parts.posts
        self._interactions = parts.interactions

    def say(self, user_id: int, channel_id: int, text: str, uploads: Sequence[Upload]) -> Message:
        user, channel = self._in_channel(user_id, channel_id, Permission.SEND_MESSAGES)
        try:
            return self._posts.create(user, channel.id, Body({"content": text}, tuple(uploads)))
        except ApiError as error:
            raise SandboxError(f"Discord does not accept that message: {_reason(error)}.") from error

    def commands(self, user_id: int, channel_id: int) -> list[Json]:
        """The commands that Discord shows this person when they type "/" there."""
        self._state.member(user_id, channel_id)
        channel = self._state.channels[channel_id]
        guild = self._state.guilds[channel.guild_id]
        bits = self._state.channel_permissions(user_id, channel)
        if self._state.bot.id not in guild.members or not has(bits, Permission.USE_APPLICATION_COMMANDS):
            return []
        registered = [*self._state.commands.get(None, []), *self._state.commands.get(guild.id, [])]
        return [command for command in registered if may_use(command, bits)]

    def invoke(self, user_id: int, channel_id: int, name: str, options: Mapping[str, object]) -> Interaction:
        user, channel = self._in_channel(user_id, channel_id)
        found = find(self.commands(user_id, channel_id), name)
        read = read_options(found, options)
        data = self._with_files(channel, found, read)
        return self._interactions.open(InteractionKind.COMMAND, user, channel, name, data)

    def type_option(
        self, user_id: int, channel_id: int, name: str, options: Mapping[str, object], focused: str
    ) -> Interaction:
        """Ask the bot for suggestions for the parameter `focused`."""
        user, channel = self._in_channel(user_id, channel_id)
        found = find(self.commands(user_id, channel_id), name)
        option = next((each for each in found.options if each["name"] == focused), None)
        if option is None or not option.get("autocomplete"):
            raise SandboxError(f"“{focused}” of /{name} has no suggestions: type it out.")
        data = found.data(read_options(found, {**options, focused: options.get(focused, "")}, typing=focused))
        return self._interactions.open(InteractionKind.AUTOCOMPLETE, user, channel, name, data)

    def click(self, user_id: int, message_id: int, custom_id: str) -> Interaction:
        user, channel, message = self._message(user_id, message_id)
        usable(message.components, custom_id, BUTTON)
        data = {"component_type": BUTTON, "custom_id": custom_id}
        return self._interactions.open(InteractionKind.COMPONENT, user, channel, custom_id, data, message)

    def choose(self, user_id: int, message_id: int, custom_id: str, values: Sequence[str]) -> Interaction:
        user, channel, message = self._message(user_id, message_id)
        check_selection(usable(message.components, custom_id, STRING_SELECT), values)
        data = {"component_type": STRING_SELECT, "custom_id": custom_id, "values": list(values)}
        return self._interactions.open(InteractionKind.COMPONENT, user, channel, custom_id, data, message)

    @staticmethod
    def suggestions(interaction: Interaction) -> list[Choice]:
        if interaction.failure is not None:
            raise SandboxError("Loading options failed: the bot did not answer in time. Try again.")
        return interaction.choices

    def _in_channel(self, user_id: int, channel_id: int, *needed: Permission) -> tuple[User, Channel]:
        user = self._state.member(user_id, channel_id).user
        channel = self._state.channels[channel_id]
        bits = self._state.channel_permissions(user_id, channel)
        if not has(bits, Permission.VIEW_CHANNEL, *needed):
            raise SandboxError(f"{user.display_name} may not do that in #{channel.name}: ask an administrator.")
        return user, channel

    def _message(self, user_id: int, message_id: int) -> tuple[User, Channel, Message]:
        message = self._state.messages.get(message_id)
        if message is None or not message.is_visible_to(user_id):
            raise SandboxError("That message is no longer there: look at the channel again.")
        return *self._in_channel(user_id, message.channel_id), message

    def _with_files(self, channel: Channel, found: Found, options: list[Json]) -> Json:
        """Store the files among the options. Discord sends their ids there, and their details under `resolved`."""
        resolved: Json = {}
        for option in options:
            if option["type"] == OptionType.ATTACHMENT:
                attachment = self._store(channel, option["name"], option["value"])
                option["value"] = str(attachment.id)
                resolved[str(attachment.id)] = payloads.attachment(attachment)
        data = found.data(options)
        return {**data, "resolved": {"attachments": resolved}} if resolved else data

    def _store(self, channel: Channel, name: str, value: object) -> Attachment:
        if not isinstance(value, Upload):
            raise SandboxError(f"“{name}” takes a file: attach one.")
        return self._posts.store(value, channel.id, ephemeral=True)


def _reason(error: ApiError) -> str:
    """The first complaint about a bad form, or the error's own message, without the full stop."""
    node = error.errors
    while node and "_errors" not in node:
        node = next(iter(node.values()))
    text: str = node["_errors"][0]["message"] if node else str(error)
    return text.rstrip(".")
