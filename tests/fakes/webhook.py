"""The operator's webhook, over a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

PATIENCE = 60
TOKEN = "webhook-token"


@dataclass
class Webhook:
    """Takes posts as Discord's webhooks do; `answers` are the statuses of the next ones, 204 after them."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    bodies: list[dict[str, object]] = field(default_factory=list)
    hold: asyncio.Event | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        if self.hold is not None:
            await self.hold.wait()
        self.bodies.append(json.loads(await request.read()))
        self._news.set()
        return web.Response(status=self.answers.pop(0) if self.answers else 204, headers={"Location": "/elsewhere"})

    @property
    def told(self) -> list[object]:
        return [body["content"] for body in self.bodies]

    async def heard(self, beginning: str) -> None:
        """Wait until that was told."""
        async with asyncio.timeout(PATIENCE):
            while not any(str(each).startswith(beginning) for each in self.told):
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def open_webhook() -> AsyncIterator[Webhook]:
    hook = Webhook()
    app = web.Application()
    app.router.add_post(f"/{TOKEN}", hook.answer)
    async with TestServer(app) as server:
        hook.url = str(server.make_url(f"/{TOKEN}"))
        yield hook
