"""Discord's JSON for our values (pure). Shapes: https://discord.com/developers/docs/resources"""

from collections.abc import Iterable

from dispinmap_sandbox.discord.models import Attachment, Channel, Guild, Interaction, Json, Member, Message, Role, User


def user(user: User) -> Json:
    return {
        "id": str(user.id),
        "username": user.name,
        "global_name": user.display_name,
        "discriminator": "0",
        "avatar": None,
        "bot": user.bot,
        "public_flags": 0,
    }


def own_user(user_: User) -> Json:
    """The bot as it sees itself."""
    return {**user(user_), "verified": True, "mfa_enabled": False, "flags": 0, "locale": "en-US"}


def member(member: Member) -> Json:
    """A member without the user, as part of a message."""
    return {
        "roles": [str(role_id) for role_id in member.role_ids],
        "joined_at": member.joined_at.isoformat(),
        "nick": None,
        "avatar": None,
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
    }


def full_member(member_: Member) -> Json:
    return {**member(member_), "user": user(member_.user)}


def role(role: Role) -> Json:
    return {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(int(role.permissions)),
        "position": role.position,
        "color": 0,
        "hoist": False,
        "managed": role.managed,
        "mentionable": False,
        "flags": 0,
    }


def channel(channel: Channel) -> Json:
    """A text channel."""
    return {
        "id": str(channel.id),
        "guild_id": str(channel.guild_id),
        "type": 0,
        "name": channel.name,
        "position": channel.position,
        "topic": channel.topic,
        "nsfw": False,
        "parent_id": None,
        "rate_limit_per_user": 0,
        "last_message_id": None if channel.last_message_id is None else str(channel.last_message_id),
        "permission_overwrites": [
            {"id": str(o.id), "type": int(o.is_member), "allow": str(int(o.allow)), "deny": str(int(o.deny))}
            for o in channel.overwrites.values()
        ],
    }


def guild(guild: Guild) -> Json:
    return {
        "id": str(guild.id),
        "name": guild.name,
        "owner_id": str(guild.owner_id),
        "icon": None,
        "roles": [role(each) for each in guild.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": [],
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "afk_timeout": 300,
        "system_channel_flags": 0,
    }


def guild_create(guild_: Guild, channels: Iterable[Channel], bot: User) -> Json:
    """What the gateway sends. The bot is the only member in it, as for bots without the members intent."""
    me = guild_.members[bot.id]
    return {
        **guild(guild_),
        "joined_at": me.joined_at.isoformat(),
        "large": False,
        "member_count": len(guild_.members),
        "members": [full_member(me)],
        "channels": [channel(each) for each in channels],
        "threads": [],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def attachment(attachment: Attachment) -> Json:
    return {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": attachment.size,
        "url": attachment.url,
        "proxy_url": attachment.url,
        "content_type": attachment.content_type,
        "ephemeral": attachment.ephemeral,
    }


def message(message: Message, bot: User) -> Json:
    payload: Json = {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "author": user(message.author),
        "content": message.content,
        "timestamp": message.created_at.isoformat(),
        "edited_timestamp": None if message.edited_at is None else message.edited_at.isoformat(),
        "tts": False,
        "mention_everyone": message.mention_everyone,
        "mentions": [user(each) for each in message.mentions],
        "mention_roles": [],
        "attachments": [attachment(each) for each in message.attachments],
        "embeds": message.embeds,
        "components": message.components,
        "pinned": False,
        "type": message.kind,
        "flags": message.flags,
    }
    if message.nonce is not None:
        payload["nonce"] = message.nonce
    if message.reply_to is not None:
        payload["message_reference"] = {"message_id": str(message.reply_to), "channel_id": str(message.channel_id)}
    if message.is_response:
        payload |= {"webhook_id": str(bot.id), "application_id": str(bot.id)}
    return payload | _origin(message)


def _origin(message: Message) -> Json:
    origin = message.origin
    if origin is None:
        return {}
    common = {"id": str(origin.interaction_id), "type": int(origin.kind), "user": user(origin.user)}
    return {
        "interaction": {**common, "name": origin.name},
        "interaction_metadata": {**common, "authorizing_integration_owners": {}},
    }


def withheld(payload: Json) -> Json:
    """The message for a bot without the message-content intent.

    https://discord.com/developers/docs/events/gateway#message-content-intent
    """
    return {**payload, "content": "", "embeds": [], "attachments": [], "components": []}


def interaction(interaction: Interaction, bot: User, member_: Json, channel_: Json, message_: Json | None) -> Json:
    """`member_` has the person's permissions. `message_` is the one whose component was used."""
    payload: Json = {
        "id": str(interaction.id),
        "application_id": str(bot.id),
        "type": int(interaction.kind),
        "data": interaction.data,
        "guild_id": str(interaction.guild_id),
        "guild": {"id": str(interaction.guild_id), "locale": "en-US", "features": []},
        "channel_id": str(interaction.channel_id),
        "channel": channel_,
        "member": member_,
        "token": interaction.token,
        "version": 1,
        "locale": "en-US",
        "guild_locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(interaction.guild_id)},
        "context": 0,
        "attachment_size_limit": 10 * 1024 * 1024,
    }
    return payload if message_ is None else {**payload, "message": message_}
