"""Posts messages through discord.py, and translates its errors into what to do next."""

import asyncio
import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import aiohttp
import discord

from dispinmap.discordbot import cards
from dispinmap.outbox.destination import (
    ChannelClosed,
    DeliveryUnknown,
    MessageRejected,
    NotDelivered,
    OutgoingMessage,
)

_EMPTY_MESSAGE = 50006
_ARCHIVED_THREAD = 50083
"""From https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes"""

_CLOSED = (
    "Discord does not let the bot post here: give it View Channel, Send Messages, Embed Links "
    "and Read Message History in this channel."
)

TIMEOUT_SECONDS = 90.0
"""Longer than discord.py's own five attempts after a 5xx (25 seconds) and its waits for a rate limit."""


class DiscordDestination:
    """Posts with `nonce` and `enforce_nonce`, which discord.py sets together, and never mentions anyone."""

    def __init__(self, client: discord.Client, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._client = client
        self._timeout = timeout_seconds

    async def send(self, message: OutgoingMessage) -> int:
        """Post it and return the post's id. Raises DeliveryError."""
        embeds = [discord.Embed.from_dict(cards.embed(card)) for card in message.cards]
        channel = self._client.get_partial_messageable(message.channel_id)
        with self._translated():
            async with asyncio.timeout(self._timeout):
                post = await channel.send(
                    embeds=embeds, nonce=message.nonce, allowed_mentions=discord.AllowedMentions.none()
                )
        return post.id

    async def find(self, channel_id: int, submission_ids: Collection[int], since: datetime) -> Mapping[int, int]:
        """Which of these submissions are in the bot's own posts since `since`: submission id → first post's id.

        Raises DeliveryError if the channel's history cannot be read.
        """
        if self._hides_history(channel_id):
            raise ChannelClosed(_CLOSED)
        found: dict[int, int] = {}
        channel = self._client.get_partial_messageable(channel_id)
        with self._translated():
            async with asyncio.timeout(self._timeout) as limit:
                async for post in channel.history(after=since, limit=None, oldest_first=True):
                    # The history may be long, so the limit applies to each wait for a post, not to the whole walk.
                    limit.reschedule(asyncio.get_running_loop().time() + self._timeout)
                    if self._is_own(post):
                        found = dict.fromkeys(_carried(post).intersection(submission_ids), post.id) | found
                    if len(found) == len(submission_ids):
                        break
        return found

    async def say(self, channel_id: int, sentence: str) -> None:
        """Post a sentence for the operator, without retries. Raises DeliveryError."""
        channel = self._client.get_partial_messageable(channel_id)
        with self._translated():
            async with asyncio.timeout(self._timeout):
                await channel.send(sentence, allowed_mentions=discord.AllowedMentions.none(), suppress_embeds=True)

    def _hides_history(self, channel_id: int) -> bool:
        """Without Read Message History, Discord answers with an empty history, as if the post had never been made.

        https://docs.discord.com/developers/resources/message#get-channel-messages
        """
        channel = self._client.get_channel(channel_id)
        if channel is None and any(guild.unavailable for guild in self._client.guilds):
            raise NotDelivered("Discord has not described all servers yet: the bot tries again once it has.")
        parent = channel.parent if isinstance(channel, discord.Thread) else channel
        if not isinstance(parent, discord.abc.GuildChannel) or self._client.user is None:
            return False
        bot = parent.guild.get_member(self._client.user.id)
        return bot is not None and not parent.permissions_for(bot).read_message_history

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if self._client.user is None or self._client.is_closed():
            raise NotDelivered("The bot is not logged in to Discord: it tries again once it is.")
        with _translated():
            yield

    def _is_own(self, post: discord.Message) -> bool:
        return self._client.user is not None and post.author.id == self._client.user.id


def _carried(post: discord.Message) -> frozenset[int]:
    return frozenset[int]().union(*(cards.submission_ids(shown.url) for shown in post.embeds))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (discord.Forbidden, discord.NotFound) as error:
        raise ChannelClosed(_closed(error)) from error
    except discord.RateLimited as error:
        raise NotDelivered("Discord asks the bot to wait: try again after the delay.", error.retry_after) from error
    except discord.DiscordServerError as error:
        raise DeliveryUnknown(f"Discord failed with {error.status}: look for the post, then try again.") from error
    except discord.HTTPException as error:
        raise _refused(error) from error
    except aiohttp.ClientConnectorError as error:
        raise NotDelivered("Discord cannot be reached: check the connection. The bot tries again.") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise DeliveryUnknown("Discord did not answer: look for the post, then try again.") from error


def _closed(error: discord.Forbidden | discord.NotFound) -> str:
    if isinstance(error, discord.NotFound):
        return "The channel no longer exists: add its targets in another channel."
    return _CLOSED


def _refused(error: discord.HTTPException) -> NotDelivered | ChannelClosed | MessageRejected:
    if error.code == _EMPTY_MESSAGE:
        # Every message has an embed. Discord only calls it empty if it removed the embed.
        return ChannelClosed(_CLOSED)
    if error.code == _ARCHIVED_THREAD:
        return ChannelClosed("The thread is archived: write something in it to reopen it.")
    if error.status == 429:
        return NotDelivered("Discord refuses requests for now: wait, then try again.", _retry_after(error))
    if error.status == 401:
        return NotDelivered("Discord no longer accepts the bot's token: set a new one.")
    return MessageRejected(f"Discord will never accept this message: {error.status}, error code {error.code}.")


def _retry_after(error: discord.HTTPException) -> float | None:
    try:
        seconds = float(error.response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return seconds if math.isfinite(seconds) else None
