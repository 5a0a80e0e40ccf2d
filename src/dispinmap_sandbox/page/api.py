"""The page's JSON API. Each handler checks the request, calls a part of the sandbox, and answers with JSON."""

import asyncio
from contextlib import suppress
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from dispinmap_sandbox.clock import SandboxClock
from dispinmap_sandbox.discord.models import Interaction, Json
from dispinmap_sandbox.discord.server import DiscordServer
from dispinmap_sandbox.errors import SandboxError
from dispinmap_sandbox.page import requests, views
from dispinmap_sandbox.page.live import Live, encoded
from dispinmap_sandbox.submissions import SubmissionRow
from dispinmap_sandbox.world import World

SKIP_STEPS = 4
SKIP_STEP_SECONDS = 900
"""The four steps add up to the default poll rate. After them, a target at that rate was due and a removal is settled.

Each step is the feed's longest interval. A poll that runs during a jump goes to sleep after it, and the next step wakes
it.
"""
SKIP_PAUSE_SECONDS = 0.15
"""Real time between two steps: enough for a poll over loopback."""
PULSE_SECONDS = 5
"""How often an idle stream sends a sign of life, in real time."""


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a refused request with 400 and the sentence. Any other error is a bug and stays a 500."""
    try:
        return await handler(request)
    except SandboxError as error:
        return _refused(str(error))
    except ValidationError as error:
        return _refused(requests.sentence(error))


def _refused(sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=web.HTTPBadRequest.status_code)


class Api:
    """The handlers, with what they need."""

    def __init__(self, discord: DiscordServer, world: World, clock: SandboxClock) -> None:
        self._discord = discord
        self._world = world
        self._clock = clock
        self.live = Live(discord, self._snapshot)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/events", self._events),
            web.get("/api/commands", self._commands),
            web.get(r"/attachments/{id:\d+}", self._attachment),
            web.post("/api/messages", self._say),
            web.post("/api/invoke", self._invoke),
            web.post("/api/autocomplete", self._autocomplete),
            web.post("/api/click", self._click),
            web.post("/api/choose", self._choose),
            web.post("/api/world", self._change),
            web.post("/api/clock", self._forward),
        ]

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        # We notice that a tab is closed only when a write fails. That is how most streams end.
        with self.live.listen(self._viewer(request)) as queue, suppress(ConnectionResetError):
            while (news := await self._next(queue)) is not None:
                await response.write(encoded(news))
        return response

    async def _next(self, queue: asyncio.Queue[Json | None]) -> Json | None:
        try:
            return await asyncio.wait_for(queue.get(), PULSE_SECONDS)
        except TimeoutError:
            return {"type": "pulse", **self._pulse()}

    def _pulse(self) -> Json:
        return {"connected": self._discord.connected, "clock": views.milliseconds(self._clock.now())}

    def _snapshot(self, viewer_id: int) -> Json:
        state = self._discord.state
        guild = next(iter(state.guilds.values()))
        shown = views.server(state, guild, viewer_id)
        return {"type": "snapshot", **self._pulse(), **shown, "world": views.world(self._world)}

    def _viewer(self, request: web.Request) -> int:
        """The person who speaks at this page. A page that has not chosen one yet gets the first person."""
        given = request.query.get("user", "")
        if given.isdecimal():
            return int(given)
        people = next(iter(self._discord.state.guilds.values())).members.values()
        return next(member.user.id for member in people if not member.user.bot)

    async def _commands(self, request: web.Request) -> web.Response:
        user_id, channel_id = _number(request, "user"), _number(request, "channel")
        return web.json_response({"commands": self._discord.visible_commands(user_id, channel_id)})

    async def _attachment(self, request: web.Request) -> web.Response:
        attachment = self._discord.state.attachments.get(int(request.match_info["id"]))
        if attachment is None:
            raise web.HTTPNotFound(text="That file is gone.")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(attachment.filename)}"}
        return web.Response(body=attachment.content, headers=headers)

    async def _say(self, request: web.Request) -> web.Response:
        body = requests.Say.model_validate_json(await request.read())
        message = await self._discord.say(body.user, body.channel, body.text)
        return web.json_response({"id": str(message.id)})

    async def _invoke(self, request: web.Request) -> web.Response:
        body = requests.Invoke.model_validate_json(await request.read())
        options = requests.with_uploads(body.options)
        return _started(await self._discord.invoke(body.user, body.channel, body.name, options))

    async def _autocomplete(self, request: web.Request) -> web.Response:
        body = requests.Autocomplete.model_validate_json(await request.read())
        choices = await self._discord.autocomplete(body.user, body.channel, body.name, body.options, body.focused)
        return web.json_response({"choices": [{"name": each.name, "value": each.value} for each in choices]})

    async def _click(self, request: web.Request) -> web.Response:
        body = requests.Click.model_validate_json(await request.read())
        return _started(await self._discord.click(body.user, body.message, body.custom_id))

    async def _choose(self, request: web.Request) -> web.Response:
        body = requests.Choose.model_validate_json(await request.read())
        return _started(await self._discord.choose(body.user, body.message, body.custom_id, body.values))

    async def _change(self, request: web.Request) -> web.Response:
        change = requests.CHANGE.validate_json(await request.read())
        self._carry_out(change)
        if change.skip:
            await self._skip()
        self.live.tell_all({"type": "world", **self._pulse(), "world": views.world(self._world)})
        return self._time()

    async def _skip(self) -> None:
        for _ in range(SKIP_STEPS):
            await asyncio.sleep(SKIP_PAUSE_SECONDS)
            self._clock.advance(SKIP_STEP_SECONDS)

    def _carry_out(self, change: requests.Change) -> SubmissionRow:
        match change:
            case requests.Add():
                return self._world.add_machine(change.location, change.machine, change.user_name)
            case requests.Remove():
                return self._world.remove_machine(change.location, change.machine, change.user_name)
            case requests.Comment():
                return self._world.comment(change.location, change.machine, change.text, change.user_name)
            case requests.Confirm():
                return self._world.confirm(change.location, change.user_name)
            case requests.Score():
                return self._world.score(change.location, change.machine, change.points, change.user_name)
            case requests.Open():
                return self._world.open_location(change.location, change.name, change.user_name)
            case requests.Close():
                return self._world.close_location(change.location, change.user_name)
            case requests.Surprise():
                name = self._world.location(change.location).name
                text = f"{change.user_name} did something new at {name}"
                return self._world.report_unknown(change.location, text, change.user_name)

    async def _forward(self, request: web.Request) -> web.Response:
        self._clock.advance(requests.Forward.model_validate_json(await request.read()).seconds)
        self.live.tell_all({"type": "pulse", **self._pulse()})
        return self._time()

    def _time(self) -> web.Response:
        return web.json_response({"now": views.milliseconds(self._clock.now())})


def _started(interaction: Interaction) -> web.Response:
    return web.json_response({"interaction": views.interaction(interaction)})


def _number(request: web.Request, name: str) -> int:
    text = request.query.get(name, "")
    if not text.isdecimal():
        raise SandboxError(f"The request has no {name}: give its id.")
    return int(text)
