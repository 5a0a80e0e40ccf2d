"""Pinball Map's API on a real socket. The data is the sandbox's world."""

import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import unquote_plus

from aiohttp import web

from dispinmap.clock import Clock
from dispinmap_sandbox import pinballmap_feed, pinballmap_locations
from dispinmap_sandbox.http_server import EmbeddedServer, Handler, error_page
from dispinmap_sandbox.pinballmap_feed import Query
from dispinmap_sandbox.world import World

TOKEN_LIMIT = 120
"""Requests per minute for each token, if tokens are required (API.md)."""
ADDRESS_LIMIT = 180
"""Requests per minute for each address, if not (API.md)."""
WINDOW_SECONDS = 60
BAN = timedelta(hours=3)
"""How long the real server's rules ban an address."""
BANNED_QUERY = re.compile(r"page=\D|/etc/passwd|sleep\(|\.php")
BANNED_PATH = re.compile(r"/etc/passwd|sleep\(|\.php|wp-admin|wp-login|wp-includes")
UNAUTHORIZED = (
    "A valid api_token is required for this request. Ask for one at https://pinballmap.com/api_token "
    "and send it in the X-Api-Token header."
)


class PinballMapServer(EmbeddedServer):
    """Answers as API.md says. With `token`, every request must carry it. With `etags`, unchanged answers are 304."""

    prefix = "/api/v1"

    def __init__(self, world: World, clock: Clock, *, token: str | None = None, etags: bool = False) -> None:
        super().__init__(clock)
        self._world = world
        self._token = token
        self._etags = etags
        self._global_feed = pinballmap_feed.GlobalFeed()
        self._banned: dict[str, datetime] = {}
        self._window = 0
        self._in_window: Counter[str] = Counter()

    def routes(self) -> dict[str, Handler]:
        world = self._world
        return {
            "user_submissions.json": self._json(lambda query: self._global_feed.answer(world.feed, query)),
            "user_submissions/location.json": self._json(self._at_location),
            "user_submissions/list_within_range.json": self._json(self._within_range),
            "locations.json": self._json(lambda query: pinballmap_locations.search(world, query)),
            "locations/autocomplete.json": self._json(lambda query: pinballmap_locations.autocomplete(world, query)),
            "locations/closest_by_lat_lon.json": self._json(lambda query: pinballmap_locations.closest(world, query)),
            "locations/{id}.json": self._location,
            "machines.json": self._json(lambda _: pinballmap_locations.machines(world)),
        }

    def forgive(self) -> None:
        """Lift every ban and forget the requests of this minute."""
        self._banned.clear()
        self._in_window.clear()

    async def gate(self, request: web.Request) -> web.StreamResponse | None:
        """Check ban, limit and token, in the real server's order."""
        address = request.remote or ""
        if self._is_banned(address, unquote_plus(request.rel_url.raw_query_string), request.path):
            return web.Response(status=403, text="Forbidden\n")
        if self._token is None:
            return self._throttle(address, ADDRESS_LIMIT)
        if not hmac.compare_digest(_token(request).encode(), self._token.encode()):
            return web.json_response({"error": UNAUTHORIZED}, status=401)
        return self._throttle(self._token, TOKEN_LIMIT)

    def _is_banned(self, address: str, query: str, path: str) -> bool:
        """A request that looks like a break-in bans its address. Until the ban ends, every request gets 403."""
        now = self._clock.now()
        if BANNED_QUERY.search(query) or BANNED_PATH.search(path):
            self._banned[address] = now + BAN
        return now < self._banned.get(address, now)

    def _throttle(self, who: str, limit: int) -> web.Response | None:
        """Count per minute of the clock. Past the limit, answer 429 until the next minute, without a Retry-After."""
        window = int(self._clock.now().timestamp()) // WINDOW_SECONDS
        if window != self._window:
            self._window = window
            self._in_window.clear()
        self._in_window[who] += 1
        return web.Response(status=429, text="Retry later\n") if self._in_window[who] > limit else None

    def _json(self, answer: Callable[[Query], object]) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            return self._response(request, answer(request.query))

        return handler

    async def _location(self, request: web.Request) -> web.StreamResponse:
        location_id = pinballmap_feed.whole_number(request.match_info["id"], 0)
        return self._response(request, pinballmap_locations.details(self._world, location_id, request.query))

    def _at_location(self, query: Query) -> object:
        location_id = pinballmap_feed.whole_number(query.get("id"), 0)
        if not self._world.has_location(location_id):
            return {"errors": pinballmap_locations.NO_LOCATION}
        return pinballmap_feed.at_location(self._world.feed, location_id, query)

    def _within_range(self, query: Query) -> object:
        try:
            return pinballmap_feed.within_range(self._world.feed, query)
        except ValueError:
            raise web.HTTPInternalServerError(text=error_page(500), content_type="text/html") from None

    def _response(self, request: web.Request, answer: object) -> web.Response:
        body = json.dumps(answer, ensure_ascii=False).encode()
        headers = {"ETag": f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'} if self._etags else {}
        if self._etags and request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type="application/json", charset="utf-8", headers=headers)


def _token(request: web.Request) -> str:
    return request.headers.get("X-Api-Token") or request.query.get("api_token", "")
