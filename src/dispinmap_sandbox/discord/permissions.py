"""Who may do what in a channel (pure), as Discord documents it.

https://discord.com/developers/docs/topics/permissions
"""

from enum import IntFlag

from dispinmap_sandbox.discord.models import Channel, Guild, Member, Overwrite


class Permission(IntFlag):
    """The bits this server checks, with Discord's values."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31


EVERYTHING = (1 << 53) - 1
"""All bits that Discord has assigned so far, and some spare ones."""

EVERYONE = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_APPLICATION_COMMANDS
)
"""The permissions of a new server's @everyone role."""


def permissions(guild: Guild, member: Member, channel: Channel | None = None) -> int:
    """The bits of this member in the server, or in one of its channels."""
    everyone = guild.roles[guild.id].permissions
    base = everyone
    for role_id in member.role_ids:
        base |= guild.roles[role_id].permissions
    if member.user.id == guild.owner_id or base & Permission.ADMINISTRATOR:
        return EVERYTHING
    if channel is None:
        return base
    return _in_channel(base, guild, member, channel)


def _in_channel(base: int, guild: Guild, member: Member, channel: Channel) -> int:
    """Overwrites apply in the order @everyone, roles together, member."""
    base = _apply(base, [channel.overwrites.get(guild.id)])
    base = _apply(base, [channel.overwrites.get(role_id) for role_id in member.role_ids])
    base = _apply(base, [channel.overwrites.get(member.user.id)])
    return base if base & Permission.VIEW_CHANNEL else 0


def _apply(base: int, overwrites: list[Overwrite | None]) -> int:
    found = [overwrite for overwrite in overwrites if overwrite is not None]
    for overwrite in found:
        base &= ~overwrite.deny
    for overwrite in found:
        base |= overwrite.allow
    return base


def has(bits: int, *wanted: Permission) -> bool:
    """Whether every wanted bit is there."""
    return all(bits & permission for permission in wanted)
