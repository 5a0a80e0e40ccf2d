"""The three embedded services, on one clock and one world."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from dispinmap.clock import Clock
from dispinmap.secret import Secret
from dispinmap.settings import Settings
from dispinmap_sandbox.discord.seed import Seed
from dispinmap_sandbox.discord.server import DiscordServer
from dispinmap_sandbox.geocoder_server import GeocoderServer
from dispinmap_sandbox.pinballmap_server import PinballMapServer
from dispinmap_sandbox.world import World

DISCORD_TOKEN = "sandbox-discord-token"  # noqa: S105 -- only the embedded server knows it
PINBALLMAP_TOKEN = "sandbox-pinballmap-token"  # noqa: S105 -- the same


@dataclass(frozen=True, slots=True)
class EmbeddedServices:
    """The services that the bot talks to, listening on loopback."""

    clock: Clock
    world: World
    discord: DiscordServer
    pinballmap: PinballMapServer
    geocoder: GeocoderServer
    seed: Seed

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point the real bot at these services."""
        return {
            "DISCORD_TOKEN": DISCORD_TOKEN,
            "DISCORD_API_BASE": self.discord.api_base,
            "PINBALLMAP_API_TOKEN": PINBALLMAP_TOKEN,
            "PINBALLMAP_API_BASE": self.pinballmap.base_url,
            "GEOCODING_API_BASE": self.geocoder.base_url,
        }

    def settings(self, database_url: str, **others: object) -> Settings:
        """The bot's settings for these services. `others` are more settings, by name."""
        given: dict[str, Any] = {"sqlalchemy_url": Secret(database_url), "port": 0, **others}
        return replace(Settings.of(self.environment), **given)


@asynccontextmanager
async def embedded_services(clock: Clock, *, rate_limits: bool = False) -> AsyncIterator[EmbeddedServices]:
    """Start the services on free ports with this clock, and stop them at the end."""
    world = World(clock)
    discord = DiscordServer(clock, token=DISCORD_TOKEN, rate_limits=rate_limits)
    pinballmap = PinballMapServer(world, clock, token=PINBALLMAP_TOKEN, etags=True)
    geocoder = GeocoderServer(clock)
    async with AsyncExitStack() as stack:
        for server in (discord, pinballmap, geocoder):
            await server.start()
            stack.push_async_callback(server.stop)
        yield EmbeddedServices(clock, world, discord, pinballmap, geocoder, discord.seed())
