"""What happens around every request: counting, faults, rate limits, authorisation, errors as JSON."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from dispinmap.clock import Clock
from dispinmap_sandbox.discord import errors
from dispinmap_sandbox.discord.errors import ApiError
from dispinmap_sandbox.discord.limits import Limits
from dispinmap_sandbox.faults import Fault, FaultKind, Faults, broken

API = "/api/v10"
_WITH_OWN_TOKEN = ("/webhooks/", "/interactions/")
_VIA = {"Via": "1.1 sandbox"}
"""The real answers pass a proxy. If a 429 lacks this header, discord.py takes it for a ban and gives up."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Edge:
    """The middleware in front of all routes. `limits` is None if rate limits are off."""

    def __init__(self, clock: Clock, token: str, faults: Faults, requests: Counter[str], limits: Limits | None) -> None:
        self._clock = clock
        self._token = token
        self._faults = faults
        self._requests = requests
        self._limits = limits

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not request.path.startswith(API):
                return await handler(request)
            response = await self._handle(request, handler)
            if response.content_type == "application/json":
                # discord.py compares the whole header, and Discord's has no charset.
                response.headers["Content-Type"] = "application/json"
            return response

        return handle

    async def _handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        path = request.path.removeprefix(API)
        route = f"{request.method} {_template(request)}"
        self._requests[route] += 1
        fault = self._faults.take(request.method, path)
        await self._faults.hold(fault)
        if fault is not None and fault.kind is FaultKind.FAIL:
            return _failure(fault)
        try:
            response = await self._limited(request, route, handler)
        except ApiError as error:
            response = web.json_response(error.body, status=error.status)
        return response if fault is None else await broken(fault.kind, response, request)

    async def _limited(self, request: web.Request, route: str, handler: Handler) -> web.StreamResponse:
        if self._limits is None:
            return await self._authorised(request, handler)
        verdict = self._limits.take(route, request.match_info, asyncio.get_running_loop().time())
        headers = _VIA | verdict.headers(self._clock.now().timestamp())
        if not verdict.allowed:
            return web.json_response(verdict.body, status=429, headers=headers)
        try:
            response = await self._authorised(request, handler)
        except ApiError as error:
            response = web.json_response(error.body, status=error.status)
        response.headers.update(headers)
        return response

    async def _authorised(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        path = request.path.removeprefix(API)
        if not path.startswith(_WITH_OWN_TOKEN) and request.headers.get("Authorization") != f"Bot {self._token}":
            raise errors.unauthorized()
        try:
            return await handler(request)
        except web.HTTPNotFound:
            raise errors.not_found() from None
        except web.HTTPMethodNotAllowed:
            raise ApiError(405, 0, "405: Method Not Allowed") from None


def _template(request: web.Request) -> str:
    """The route as in Discord's documentation, "/channels/{channel_id}/messages"."""
    resource = request.match_info.route.resource
    return "unknown" if resource is None else resource.canonical.removeprefix(API)


def _failure(fault: Fault) -> web.Response:
    headers = _VIA | dict(fault.headers)
    if isinstance(fault.body, str):
        return web.Response(status=fault.status, text=fault.body, content_type="text/html", headers=headers)
    body = fault.body if fault.body is not None else {"message": f"{fault.status}: sandbox fault", "code": 0}
    return web.json_response(body, status=fault.status, headers=headers)
