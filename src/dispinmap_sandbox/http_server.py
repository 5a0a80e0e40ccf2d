"""What the embedded HTTP servers share: listening, counting requests, and misbehaving on request."""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from aiohttp import web

from dispinmap.clock import Clock
from dispinmap_sandbox.errors import SandboxError
from dispinmap_sandbox.faults import Fault, FaultKind, Faults, broken

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SHUTDOWN_SECONDS = 0.1
LOG_LENGTH = 10_000
"""How many requests `log` keeps, so that a sandbox that runs for days does not grow."""


class RequestLine(NamedTuple):
    """One request: time, path below the base URL, raw query and user agent."""

    at: datetime
    path: str
    query: str
    user_agent: str


class EmbeddedServer(ABC):
    """A real aiohttp server on loopback. `prefix` is the base URL's path, such as "/api/v1"."""

    prefix: str

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._address: tuple[str, int] | None = None
        self._runner: web.AppRunner | None = None
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        """Requests by endpoint, failed ones too: "user_submissions.json", "locations/:id.json"."""
        self._arrived = asyncio.Event()
        self.log: deque[RequestLine] = deque(maxlen=LOG_LENGTH)

    @property
    def base_url(self) -> str:
        """For example http://127.0.0.1:54321/api/v1. Raises SandboxError before `start`."""
        if self._address is None:
            raise SandboxError("The embedded server has no address yet: start it first.")
        host, port = self._address
        return f"http://{host}:{port}{self.prefix}"

    async def next_request(self, endpoint: str) -> None:
        """Return when the next request for `endpoint` (a key of `requests`) arrives."""
        before = self.requests[endpoint]
        while self.requests[endpoint] == before:
            await self._arrived.wait()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen. Port 0 takes a free port and keeps it. Raises SandboxError if the port is in use."""
        self._address = (host, port)
        await self._listen()

    async def stop(self) -> None:
        """Close every connection, including hanging ones."""
        await self._close()

    async def down(self) -> None:
        """Close the listening socket and every connection, including hanging ones. New connections are refused."""
        await self._close()

    async def up(self) -> None:
        """Listen on the same port again."""
        await self._listen()

    @abstractmethod
    def routes(self) -> dict[str, Handler]:
        """Handlers by path pattern below the prefix, in aiohttp's syntax."""

    async def gate(self, _request: web.Request) -> web.StreamResponse | None:
        """Refuse a request before its handler runs. None lets it through."""
        return None

    async def _listen(self) -> None:
        if self._address is None or self._runner is not None:
            return
        application = web.Application(middlewares=[self._middleware])
        for pattern, handler in self.routes().items():
            application.router.add_get(f"{self.prefix}/{pattern}", handler)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        host, port = self._address
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._close()
            raise SandboxError(f"The sandbox cannot listen on {host}:{port}: choose another port.") from error
        self._address = (host, self._runner.addresses[0][1])

    async def _close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        path = request.path.removeprefix(f"{self.prefix}/")
        self._count(request, path)
        fault = self.faults.take(request.method, path)
        await self.faults.hold(fault)
        if fault is None:
            return await self._answer(request, handler)
        if fault.kind is FaultKind.FAIL:
            return failure(fault)
        return await broken(fault.kind, await self._answer(request, handler), request)

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = await self.gate(request)
        return await handler(request) if refused is None else refused

    def _count(self, request: web.Request, path: str) -> None:
        self.requests[_endpoint(path)] += 1
        self._arrived.set()
        self._arrived = asyncio.Event()
        agent = request.headers.get("User-Agent", "")
        self.log.append(RequestLine(self._clock.now(), path, request.rel_url.raw_query_string, agent))


def failure(fault: Fault) -> web.Response:
    """The answer of a FAIL fault."""
    if fault.body is not None and not isinstance(fault.body, str):
        return web.json_response(fault.body, status=fault.status, headers=fault.headers)
    headers = {"Content-Type": "text/html; charset=utf-8", **fault.headers}
    return web.Response(status=fault.status, text=fault.body or error_page(fault.status), headers=headers)


def error_page(status: int) -> str:
    """The HTML of a failure without a body of its own, as real servers send it."""
    return f"<!DOCTYPE html>\n<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n"


def _endpoint(path: str) -> str:
    """The path with its ids replaced: "locations/:id.json"."""
    return "/".join(":id.json" if part.removesuffix(".json").isdigit() else part for part in path.split("/"))
