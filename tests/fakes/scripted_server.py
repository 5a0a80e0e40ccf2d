"""A real web server on loopback that gives the answers a test wrote, one a request, the last one for ever."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import stamina
from aiohttp import web
from multidict import CIMultiDict


@dataclass(frozen=True, slots=True)
class Scripted:
    """One answer. `cut` promises more bytes than are sent; `hang` sends nothing until the client gives up."""

    body: object = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False

    @property
    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    query: dict[str, str]
    raw_query: str
    headers: CIMultiDict[str]


class ScriptedServer:
    """`answers` is read from the front; `received` has every request, oldest first."""

    def __init__(self) -> None:
        self.answers: list[Scripted] = [Scripted()]
        self.received: list[Received] = []
        self.url = ""
        self.closing = asyncio.Event()

    def will_answer(self, *answers: Scripted) -> None:
        self.answers = list(answers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.received.append(
            Received(request.path, dict(request.query), request.rel_url.raw_query_string, CIMultiDict(request.headers))
        )
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.hang:
            await self.closing.wait()
        if answer.cut:
            return await _cut(request, answer)
        return web.Response(body=answer.payload, status=answer.status, headers=answer.headers)


async def _cut(request: web.Request, answer: Scripted) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(answer.payload) + 10)})
    await response.prepare(request)
    await response.write(answer.payload)
    assert request.transport is not None
    request.transport.close()
    return response


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """A started server, and retries that wait for nothing."""
    server = ScriptedServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        with stamina.set_testing(True, attempts=10, cap=True):
            yield server
    finally:
        server.closing.set()
        await runner.cleanup()
