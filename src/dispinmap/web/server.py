"""The web pages: `/health`, `/ready`, `/metrics`, and `/` for people."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

import structlog
from aiohttp import web

from dispinmap.errors import SettingsError
from dispinmap.web.look import GetReport, Look, look
from dispinmap.web.page import status_page

log = structlog.get_logger(__name__)

ANY_HOST = "0.0.0.0"  # noqa: S104 -- the platform asks for health and readiness from outside the container
STOP_SECONDS = 0.5
"""How long a stop waits for open requests. Anyone can leave one open, and the platform does not wait long."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@asynccontextmanager
async def serving(report: GetReport, host: str, port: int) -> AsyncIterator[None]:
    """Serve the web pages during the block. Raises SettingsError if the port is taken."""
    web = WebServer(report)
    try:
        log.info("web_listening", port=await web.start(host, port))
        yield
    finally:
        await web.stop()


class WebServer:
    """Serves while the bot starts and runs. Shows nothing private, because anyone may ask."""

    def __init__(self, report: GetReport) -> None:
        self._report = report
        self._looking: asyncio.Task[Look] | None = None
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/status.css", self._style)
        app.router.add_get("/health", self._health)
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/metrics", self._metrics)
        app.on_response_prepare.append(_add_headers)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_SECONDS)

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port, which the system chooses for 0. Raises SettingsError if it is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            raise SettingsError(f"PORT {port} cannot be used ({error.strerror}): choose another one.") from error
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _look(self) -> Look:
        """Requests at the same time share one look, so that many visitors cost no more than one."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(look(self._report))
        return await asyncio.shield(self._looking)

    async def _health(self, _request: web.Request) -> web.Response:
        """Says only that the process answers."""
        return web.json_response({"status": "alive"})

    async def _ready(self, _request: web.Request) -> web.Response:
        """200 while everything works, otherwise 503 with a sentence for each part that does not."""
        found = await self._look()
        answer = {
            "ready": found.ready,
            "parts": {name: {"ok": part.ok, "reason": part.reason} for name, part in found.parts.items()},
            "faults": {name: part.reason for name, part in found.parts.items() if not part.ok},
        }
        return web.json_response(answer, status=200 if found.ready else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        from dispinmap.web.metrics import exposition  # noqa: PLC0415 -- a megabyte that only those with Prometheus need

        body, content_type = exposition(await self._look(), request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(text=status_page(await self._look()), content_type="text/html")

    async def _style(self, _request: web.Request) -> web.Response:
        style = files("dispinmap.web").joinpath("status.css").read_text(encoding="utf-8")
        return web.Response(text=style, content_type="text/css")


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
