"""Sending alerts to the operator: to a webhook, a Discord channel, or both."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus

import aiohttp
import structlog

from dispinmap.errors import DisPinMapError
from dispinmap.secret import Secret

log = structlog.get_logger(__name__)

TELL_SECONDS = 10.0
"""How long one way may take."""
CONTENT_LIMIT = 2000
"""Characters: https://docs.discord.com/developers/resources/webhook#execute-webhook"""

Post = Callable[[str], Awaitable[object]]


class Alerts:
    """Sends alerts. Failures are logged, but never the webhook's address: anyone who has it can write there."""

    def __init__(
        self, session: aiohttp.ClientSession, webhook_url: Secret | None = None, post: Post | None = None
    ) -> None:
        """`webhook_url` takes Discord's webhook format; `post` writes a sentence into the operator's channel."""
        self._ways: dict[str, Post] = {}
        if webhook_url is not None:
            self._ways["webhook"] = partial(_call_webhook, session, webhook_url)
        if post is not None:
            self._ways["channel"] = post

    async def tell(self, sentence: str) -> bool:
        """Send to the webhook and the channel at once. True if one got it or none is set up. Raises nothing."""
        content = sentence if len(sentence) <= CONTENT_LIMIT else f"{sentence[: CONTENT_LIMIT - 1]}…"
        reached = await asyncio.gather(*(self._try(name, way, content) for name, way in self._ways.items()))
        return any(reached) or not reached

    async def _try(self, name: str, way: Post, content: str) -> bool:
        try:
            async with asyncio.timeout(TELL_SECONDS):
                await way(content)
        except Exception as error:  # noqa: BLE001 -- an alert that fails must not stop the loop that sends it
            # aiohttp's errors contain the address; ours are written for people.
            told = str(error) if isinstance(error, DisPinMapError) else type(error).__name__
            log.warning("alert_failed", way=name, error=told)
            return False
        return True


async def _call_webhook(session: aiohttp.ClientSession, url: Secret, content: str) -> None:
    body = {"content": content, "allowed_mentions": {"parse": []}}
    async with session.post(url.get_secret_value(), json=body, allow_redirects=False) as answer:
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise DisPinMapError(f"The webhook answered {answer.status}: check OPERATOR_WEBHOOK_URL.")
