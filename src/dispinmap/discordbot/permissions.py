"""What the bot may do in a channel (pure)."""

import discord

_FOR_CARDS = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "embed_links": "Embed Links",
    "read_message_history": "Read Message History",
}


def may_write(permissions: discord.Permissions, *, in_thread: bool) -> bool:
    """Whether the bot may post messages. It may always answer slash commands."""
    return permissions.view_channel and (
        permissions.send_messages_in_threads if in_thread else permissions.send_messages
    )


def lacking(permissions: discord.Permissions, *, in_thread: bool) -> list[str]:
    """The permissions that the bot lacks for posting cards, as Discord's settings name them."""
    needed = dict(_FOR_CARDS)
    if in_thread:
        del needed["send_messages"]
        needed["send_messages_in_threads"] = "Send Messages in Threads"
    return [label for name, label in needed.items() if not getattr(permissions, name)]
