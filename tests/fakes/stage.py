"""The real bot in this process, between the embedded services, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from discord.gateway import DiscordWebSocket
from discord.http import Route

from dispinmap import app
from dispinmap.discordbot.cards import submission_ids
from dispinmap_sandbox.clock import SandboxClock
from dispinmap_sandbox.discord.models import Message
from dispinmap_sandbox.services import EmbeddedServices
from tests.fakes.services import patient_services

MORE_THAN_AN_HOUR = 70 * 60.0
"""The default poll rate, and some minutes for a machine on which the last post left late."""
MINUTE = 60.0
MISSED_SECONDS = 10.0


class Stage:
    """A test acts as people do: it gives commands, changes the world and lets time pass."""

    def __init__(self, services: EmbeddedServices, clock: SandboxClock, database: Path) -> None:
        self.services = services
        self.clock = clock
        self.database_url = f"sqlite:///{database}"
        self.channel_id = services.seed.pinball.id
        self.admin_id = services.seed.administrator.id
        self.member_id = services.seed.member.id
        self._bot: asyncio.Task[None] | None = None

    async def start_bot(self, **settings: object) -> None:
        """Start it as `dispinmap run` does and wait until it hears Discord; a failing start raises here."""
        work = app.run(self.services.settings(self.database_url, **settings), self.clock, web_host="127.0.0.1")
        self._bot = asyncio.create_task(work)
        connected = asyncio.create_task(self.services.discord.wait_connected())
        await asyncio.wait({self._bot, connected}, return_when=asyncio.FIRST_COMPLETED)
        if self._bot.done():
            connected.cancel()
            await self._bot
        await connected

    async def stop_bot(self) -> None:
        if self._bot is not None:
            self._bot.cancel()
            with suppress(asyncio.CancelledError):
                await self._bot
            self._bot = None

    async def command(self, name: str, user_id: int | None = None, /, **options: object) -> Message:
        """Use a slash command and return its answer."""
        discord = self.services.discord
        return await discord.answer(await discord.invoke(user_id or self.admin_id, self.channel_id, name, options))

    async def click(self, message: Message, label: str, user_id: int | None = None) -> Message:
        """Press the button with this label and return what it answers or changes."""
        discord = self.services.discord
        custom_id = next(part["custom_id"] for part in parts(message) if part.get("label") == label)
        return await discord.answer(await discord.click(user_id or self.admin_id, message.id, custom_id))

    async def choose(self, message: Message, *values: str) -> Message:
        """Select these options of the message's menu, and no others."""
        discord = self.services.discord
        menu = next(part for part in parts(message) if part.get("options"))
        return await discord.answer(await discord.choose(self.admin_id, message.id, menu["custom_id"], list(values)))

    def pass_time(self, seconds: float = MORE_THAN_AN_HOUR) -> None:
        """Wind the clock on: by default so far that a channel at the default rate gets its next message."""
        self.clock.advance(seconds)

    async def card(self, submission_id: int, channel_id: int | None = None) -> Message:
        """The post that carries this submission, now or soon.

        A bot that was about to sleep when time passed has missed that, and looks again after a minute of its own.
        """
        coming = asyncio.create_task(
            self.services.discord.wait_for_message(
                channel_id or self.channel_id, lambda message: submission_id in shown(message)
            )
        )
        if not (await asyncio.wait({coming}, timeout=MISSED_SECONDS))[0]:
            self.pass_time(MINUTE)
        return await coming

    def announced(self, channel_id: int | None = None) -> list[int]:
        """Every submission id the bot has posted as a notification there, repeats included, oldest first."""
        messages = sorted(self.services.discord.state.messages.values(), key=lambda message: message.id)
        wanted = channel_id or self.channel_id
        return [id_ for m in messages if m.channel_id == wanted and not m.is_response for id_ in shown(m)]


def parts(message: Message) -> list[Mapping[str, str]]:
    """The buttons and menus of a message."""
    return [part for row in message.components for part in row["components"]]


def shown(message: Message) -> list[int]:
    """The submission ids that the embeds of a post carry."""
    return [id_ for embed in message.embeds for id_ in sorted(submission_ids(embed.get("url", "")))]


def text_of(message: Message) -> str:
    """Everything a person reads in it."""
    embeds = [
        [embed.get("title", ""), embed.get("description", "")]
        + [line for field in embed.get("fields", []) for line in (field["name"], field["value"])]
        + [embed.get("footer", {}).get("text", "")]
        for embed in message.embeds
    ]
    return "\n".join([message.content, *(line for embed in embeds for line in embed)])


@asynccontextmanager
async def open_stage(database: Path, *, rate_limits: bool = False) -> AsyncIterator[Stage]:
    """Services and a stage without a bot yet; discord.py's own addresses are put back at the end."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    clock = SandboxClock()
    async with patient_services(clock, rate_limits=rate_limits) as services:
        stage = Stage(services, clock, database)
        try:
            yield stage
        finally:
            await stage.stop_bot()
            Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway
