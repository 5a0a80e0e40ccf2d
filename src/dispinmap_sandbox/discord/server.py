"""The embedded Discord: one object that listens, and that people, owners and tests act through."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from aiohttp import web

from dispinmap.clock import Clock
from dispinmap_sandbox.discord.events import Event
from dispinmap_sandbox.discord.limits import Limits
from dispinmap_sandbox.discord.models import Channel, Choice, Guild, Interaction, Json, Message, Role, Upload
from dispinmap_sandbox.discord.owner import Owner
from dispinmap_sandbox.discord.parts import Parts
from dispinmap_sandbox.discord.people import People
from dispinmap_sandbox.discord.permissions import Permission
from dispinmap_sandbox.discord.rest.application import ApplicationRoutes
from dispinmap_sandbox.discord.rest.attachments import AttachmentRoutes
from dispinmap_sandbox.discord.rest.body import MAX_REQUEST_BYTES
from dispinmap_sandbox.discord.rest.interactions import InteractionRoutes
from dispinmap_sandbox.discord.rest.messages import MessageRoutes
from dispinmap_sandbox.discord.rest.middleware import API, Edge
from dispinmap_sandbox.discord.seed import Seed, plant
from dispinmap_sandbox.discord.sessions import Drop
from dispinmap_sandbox.errors import SandboxError
from dispinmap_sandbox.faults import Faults

T = TypeVar("T")
PATIENCE_SECONDS = 30.0
"""The longest wait for something that must happen. It is long because a machine may be busy."""


class DiscordServer:
    """Point discord.py's `Route.BASE` at `api_base` once it is started.

    The methods for people raise SandboxError, with a sentence, if Discord's client would not allow the action. Ids and
    timestamps come from `clock`. Limits that Discord counts in real time (3 s for an answer, rate limits) are real.
    """

    def __init__(self, clock: Clock, *, token: str, rate_limits: bool = False) -> None:
        self._parts = Parts(clock, token)
        self._people = People(self._parts)
        self._owner = Owner(self._parts)
        self.state = self._parts.state
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        """Requests by route, such as "POST /channels/{channel_id}/messages"."""
        limits = Limits()
        self.refused = limits.refused
        """The requests among them that a rate limit answered with 429."""
        self._edge = Edge(clock, token, self.faults, self.requests, limits if rate_limits else None)
        self._runner: web.AppRunner | None = None
        self.api_base = ""
        """The address of the REST API."""
        self.gateway_url = ""
        """The address of the web socket that `GET /gateway/bot` gives."""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen. Port 0 takes a free port."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        address = f"{host}:{self._runner.addresses[0][1]}"
        self.api_base = f"http://{address}{API}"
        self.gateway_url = self._parts.gateway.url = f"ws://{address}/gateway"
        self._parts.posts.files_url = f"http://{address}"

    async def stop(self) -> None:
        """Close every connection and stop listening. Messages stay readable in `state`."""
        self._parts.interactions.close()
        await self._parts.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _application(self) -> web.Application:
        parts = self._parts
        api = [
            *ApplicationRoutes(parts.state, parts.gateway, parts.events).routes(),
            *MessageRoutes(parts.state, parts.posts).routes(),
            *InteractionRoutes(parts.state, parts.interactions, parts.posts).routes(),
        ]
        application = web.Application(middlewares=[self._edge.middleware], client_max_size=MAX_REQUEST_BYTES)
        application.add_routes([web.RouteDef(r.method, API + r.path, r.handler, r.kwargs) for r in api])
        application.add_routes([web.get("/gateway", parts.gateway.handle), *AttachmentRoutes(parts.state).routes()])
        return application

    def seed(self) -> Seed:
        """Create the server “Pinball Friends”, its channels and its people."""
        return plant(self.state, self._owner)

    async def say(self, user_id: int, channel_id: int, text: str, uploads: Sequence[Upload] = ()) -> Message:
        """Post as a person."""
        return self._people.say(user_id, channel_id, text, uploads)

    def commands(self) -> list[Json]:
        """The global commands that the bot registered, as Discord's JSON."""
        return self.state.commands.get(None, [])

    def visible_commands(self, user_id: int, channel_id: int) -> list[Json]:
        """The commands that Discord shows this person when they type "/" there."""
        return self._people.commands(user_id, channel_id)

    async def invoke(
        self, user_id: int, channel_id: int, name: str, options: Mapping[str, object] | None = None
    ) -> Interaction:
        """Use a slash command. A subcommand's name is "add location"; a file is an Upload.

        Returns at once. Wait for `acknowledged` or `settled` of the interaction, or call `answer`.
        """
        return self._people.invoke(user_id, channel_id, name, options or {})

    async def autocomplete(
        self, user_id: int, channel_id: int, name: str, options: Mapping[str, object], focused: str
    ) -> list[Choice]:
        """The bot's suggestions for the option `focused`. `options` holds its text so far."""
        interaction = self._people.type_option(user_id, channel_id, name, options, focused)
        await interaction.acknowledged.wait()
        return self._people.suggestions(interaction)

    async def click(self, user_id: int, message_id: int, custom_id: str) -> Interaction:
        """Press a button. Returns at once."""
        return self._people.click(user_id, message_id, custom_id)

    async def choose(self, user_id: int, message_id: int, custom_id: str, values: Sequence[str]) -> Interaction:
        """Select options of a menu. Returns at once."""
        return self._people.choose(user_id, message_id, custom_id, values)

    async def answer(
        self,
        interaction: Interaction,
        timeout: float = PATIENCE_SECONDS,  # noqa: ASYNC109 — its error names what did not happen
    ) -> Message:
        """Wait for an interaction's first answer: the new message, or the one whose component was used.

        Raises SandboxError if the bot does not acknowledge in time, or shows nothing within `timeout` seconds.
        """
        await _within(timeout, interaction.settled.wait(), f"/{interaction.name} was not answered")
        if interaction.failure is not None:
            raise SandboxError(f"{interaction.failure} ({interaction.name}).")
        message = self.state.messages.get(interaction.original_id or 0)
        if message is None:
            raise SandboxError(f"The answer to {interaction.name} was deleted.")
        return message

    def subscribe(self) -> AbstractContextManager[asyncio.Queue[Event]]:
        """A queue of all events from now on. Check `Event.is_visible_to` before showing one."""
        return self._parts.events.subscribe()

    async def add_guild(self, name: str) -> Guild:
        """Add a server with the bot and a channel #general. The first person owns it."""
        people = [user for user in self.state.users.values() if not user.bot]
        owner = people[0] if people else self.state.add_user("owner", "Owner")
        guild = self._owner.add_guild(name, owner, *people[1:])
        self._owner.add_channel(guild.id, "general")
        return guild

    async def remove_bot(self, guild_id: int) -> None:
        self._owner.remove_bot(guild_id)

    async def add_bot(self, guild_id: int) -> None:
        self._owner.add_bot(guild_id)

    def add_role(self, guild_id: int, name: str) -> Role:
        """A role without members or permissions."""
        return self._owner.add_role(self._owner.guild(guild_id), name, 0)

    def add_channel(self, guild_id: int, name: str) -> Channel:
        return self._owner.add_channel(guild_id, name)

    async def delete_channel(self, channel_id: int) -> None:
        self._owner.delete_channel(channel_id)

    def deny(self, channel_id: int, permission: Permission) -> None:
        """Take permissions from the bot in one channel. Join several with `|`."""
        self._owner.overwrite(channel_id, deny=permission)

    def allow(self, channel_id: int, permission: Permission) -> None:
        """Give permissions to the bot in one channel. Join several with `|`."""
        self._owner.overwrite(channel_id, allow=permission)

    async def drop_gateway(self, *, resumable: bool = True, how: Drop = Drop.CUT) -> None:
        """End all web sockets. If `resumable`, the bot gets what it missed when it resumes."""
        self._parts.gateway.drop(how, resumable=resumable)

    @property
    def allowed_intents(self) -> int:
        """The privileged intents that are on for the application. A bot that asks for another is closed with 4014."""
        return self._parts.gateway.allowed_intents

    @allowed_intents.setter
    def allowed_intents(self, intents: int) -> None:
        self._parts.gateway.allowed_intents = intents

    @property
    def connected(self) -> bool:
        return self._parts.gateway.connected

    async def wait_connected(
        self,
        timeout: float = PATIENCE_SECONDS,  # noqa: ASYNC109 — as above
    ) -> None:
        """Return once the bot receives events. Raises SandboxError after `timeout` seconds."""
        await _within(timeout, self._parts.gateway.wait_connected(), "The bot did not connect")

    async def wait_for_message(
        self,
        channel_id: int,
        predicate: Callable[[Message], bool],
        timeout: float = PATIENCE_SECONDS,  # noqa: ASYNC109 — as above
    ) -> Message:
        """The first message in the channel that fits, now or later. “thinking…” does not count.

        Raises SandboxError after `timeout` seconds of real time.
        """
        with self.subscribe() as events:

            async def found() -> Message:
                while True:
                    messages = [m for m in self.state.messages.values() if m.channel_id == channel_id]
                    for message in messages:
                        if not message.thinking and predicate(message):
                            return message
                    await events.get()

            return await _within(timeout, found(), f"No such message came in channel {channel_id}")


async def _within(seconds: float, wait: Awaitable[T], problem: str) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await wait
    except TimeoutError:
        raise SandboxError(f"{problem} within {seconds:g} s: see the bot's log.") from None
