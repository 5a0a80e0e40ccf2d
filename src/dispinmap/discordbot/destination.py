"""Messages posted through discord.py, and its errors translated into what to do next."""

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
"""Of https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes"""

_CLOSED = (
    "Discord does not let the bot post here: give it View Channel, Send Messages, Embed Links "
    "and Read Message History in this channel."
)

TIMEOUT_SECONDS = 90.0
"""Longer than discord.py's own five attempts at a 5xx, which take 25 seconds, and its waits for a rate limit."""


class DiscordDestination:
    """Posts with `nonce` and `enforce_nonce`, which discord.py sets together, and mentions nobody."""

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
        """Which of these submissions the bot's own posts since `since` carry: submission id → first post's id.

        Raises DeliveryError where the channel's history cannot be read.
        """
        if self._hides_history(channel_id):
            raise ChannelClosed(_CLOSED)
        found: dict[int, int] = {}
        channel = self._client.get_partial_messageable(channel_id)
        with self._translated():
            async with asyncio.timeout(self._timeout) as limit:
                async for post in channel.history(after=since, limit=None, oldest_first=True):
                    # A history may be long; only the wait for its next post is limited.
                    limit.reschedule(asyncio.get_running_loop().time() + self._timeout)
                    if self._is_own(post):
                        found = dict.fromkeys(_carried(post).intersection(submission_ids), post.id) | found
                    if len(found) == len(submission_ids):
                        break
        return found

    async def say(self, channel_id: int, sentence: str) -> None:
        """Post plain words, once, for the operator. Raises DeliveryError."""
        channel = self._client.get_partial_messageable(channel_id)
        with self._translated():
            async with asyncio.timeout(self._timeout):
                await channel.send(sentence, allowed_mentions=discord.AllowedMentions.none(), suppress_embeds=True)

    def _hides_history(self, channel_id: int) -> bool:
        """Without the permission Discord answers with an empty history, as if the post had never been made.

        https://docs.discord.com/developers/resources/message#get-channel-messages
        """
        channel = self._client.get_channel(channel_id)
        if channel is None and any(guild.unavailable for guild in self._client.guilds):
            raise NotDelivered("Discord has not described all servers yet: it is tried again once it has.")
        place = channel.parent if isinstance(channel, discord.Thread) else channel
        if not isinstance(place, discord.abc.GuildChannel) or self._client.user is None:
            return False
        bot = place.guild.get_member(self._client.user.id)
        return bot is not None and not place.permissions_for(bot).read_message_history

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if self._client.user is None or self._client.is_closed():
            raise NotDelivered("The bot is not logged in to Discord: it is tried again once it is.")
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
        raise NotDelivered("Discord asks to wait: try again after its delay.", error.retry_after) from error
    except discord.DiscordServerError as error:
        raise DeliveryUnknown(f"Discord failed with {error.status}: look for the post, then try again.") from error
    except discord.HTTPException as error:
        raise _refused(error) from error
    except aiohttp.ClientConnectorError as error:
        raise NotDelivered("Discord cannot be reached: check the connection; it is tried again.") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise DeliveryUnknown("Discord's answer never came: look for the post, then try again.") from error


def _closed(error: discord.Forbidden | discord.NotFound) -> str:
    if isinstance(error, discord.NotFound):
        return "The channel does not exist any more: add the targets again in another one."
    return _CLOSED


def _refused(error: discord.HTTPException) -> NotDelivered | ChannelClosed | MessageRejected:
    if error.code == _EMPTY_MESSAGE:
        # Every message has an embed; it can only be empty where Discord took that away.
        return ChannelClosed(_CLOSED)
    if error.code == _ARCHIVED_THREAD:
        return ChannelClosed("The thread is archived: write something in it to open it again.")
    if error.status == 429:
        return NotDelivered("Discord refuses requests for now: wait, then try again.", _retry_after(error))
    if error.status == 401:
        return NotDelivered("Discord does not accept the bot's token any more: set a new one.")
    return MessageRejected(f"Discord rejects this message for good: {error.status}, error code {error.code}.")


def _retry_after(error: discord.HTTPException) -> float | None:
    try:
        seconds = float(error.response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return seconds if math.isfinite(seconds) else None
