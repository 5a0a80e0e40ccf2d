"""`/health` and `/ready` over HTTP."""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from dispinmap.errors import SettingsError
from dispinmap.health import HealthReport, faults

log = structlog.get_logger(__name__)

Report = Callable[[], Awaitable[HealthReport]]


class WebServer:
    """Serves while the bot runs; holds no private data."""

    def __init__(self, report: Report) -> None:
        self._report = report
        app = web.Application()
        app.router.add_get("/health", self._health)
        app.router.add_get("/ready", self._ready)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port, which the system chooses for 0. Raises SettingsError where it is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            raise SettingsError(f"PORT {port} cannot be used ({error.strerror}): choose another one.") from error
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        """The process answers: that is all this says."""
        return web.json_response({"status": "alive"})

    async def _ready(self, _request: web.Request) -> web.Response:
        """200 while everything works, otherwise 503 with a sentence for each part that does not."""
        try:
            found = faults(await self._report())
        except Exception as error:
            log.exception("report_failed")
            found = {"report": f"The bot cannot tell its state ({type(error).__name__}): see the log."}
        return web.json_response({"ready": not found, "faults": found}, status=503 if found else 200)
