"""The chat page's web server: static files, the JSON API and live updates, on loopback."""

import asyncio
from pathlib import Path

from aiohttp import web

from dispinmap_sandbox.clock import SandboxClock
from dispinmap_sandbox.discord.server import DiscordServer
from dispinmap_sandbox.errors import SandboxError
from dispinmap_sandbox.page.api import Api, explain
from dispinmap_sandbox.page.guard import add_security_headers, guard
from dispinmap_sandbox.world import World

STATIC = Path(__file__).parent / "static"
MOST_BYTES = 4 * 1024 * 1024
"""The largest request: a file for `/import`, in base64."""
SHUTDOWN_SECONDS = 1


class ChatPage:
    """Lets a person at the browser use the sandbox's Discord, world and clock."""

    def __init__(self, discord: DiscordServer, world: World, clock: SandboxClock) -> None:
        self._api = Api(discord, world, clock)
        self._runner: web.AppRunner | None = None
        self._following: asyncio.Task[None] | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """The page's address, once it is started: "http://127.0.0.1:PORT"."""
        return self._url

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen. Port 0 takes a free one. Raises SandboxError if the port is in use."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.stop()
            raise SandboxError(f"The chat page cannot listen on {host}:{port}: choose another port.") from error
        self._url = f"http://{host}:{self._runner.addresses[0][1]}"
        self._following = asyncio.create_task(self._api.live.follow(), name="chat page events")

    async def stop(self) -> None:
        """End every page's stream and stop listening. Does nothing before `start`."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
            self._following = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[guard, explain], client_max_size=MOST_BYTES)
        app.add_routes([web.get("/", _index), web.static("/static", STATIC), *self._api.routes()])
        app.on_response_prepare.append(add_security_headers)
        app.on_shutdown.append(self._end_streams)
        return app

    async def _end_streams(self, _app: web.Application) -> None:
        self._api.live.end_all()


async def _index(_request: web.Request) -> web.StreamResponse:
    return web.FileResponse(STATIC / "index.html")
