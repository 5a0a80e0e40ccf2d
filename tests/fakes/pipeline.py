"""The way of a submission from an embedded Pinball Map to a channel, on a real database, without Discord."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import insert

from dispinmap.database.engine import Database
from dispinmap.database.tables import ChannelConfigRow, MonitoringTargetRow
from dispinmap.discordbot.cards import measure
from dispinmap.feed.poller import Poller
from dispinmap.http import open_session
from dispinmap.outbox.sender import Sender
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap_sandbox.pinballmap_server import PinballMapServer
from dispinmap_sandbox.world import World
from tests.fakes.clock import ManualClock
from tests.fakes.destination import FakeDestination
from tests.fakes.values import GROUND_KONTROL

CHANNEL = 10
MINUTE = timedelta(minutes=1)
WINDOW = timedelta(minutes=5)


class Pipeline:
    """Everything between the two outside services; every test moves the clock itself."""

    def __init__(self, clock: ManualClock, database: Database, world: World, server: PinballMapServer) -> None:
        self.clock = clock
        self.database = database
        self.world = world
        self.server = server
        self.destination = FakeDestination(clock)
        self.given_up: list[str] = []

    def wire(self, pinballmap: PinballMapClient) -> None:
        """Make the loops anew, as a restart does."""
        self.pinballmap = pinballmap
        self.sender = Sender(
            self.database,
            self.destination,
            self.clock,
            measure,
            settle_window=WINDOW,
            report=self.given_up.append,
        )
        self.poller = Poller(
            pinballmap,
            self.database,
            self.clock,
            shortest_interval=MINUTE,
            settle_window=WINDOW,
            wake_sender=self.sender.wake,
        )

    async def watch(
        self,
        channel_id: int = CHANNEL,
        *,
        location_id: int | None = GROUND_KONTROL,
        area: str | None = None,
        poll_rate_minutes: int | None = 1,
        kind: str | None = None,
    ) -> None:
        """A target as `/add` makes it, served just now."""
        now = self.clock.now()
        async with self.database.write() as session:
            if await session.get(ChannelConfigRow, channel_id) is None:
                await session.execute(insert(ChannelConfigRow).values(channel_id=channel_id, guild_id=1))
            await session.execute(
                insert(MonitoringTargetRow).values(
                    channel_id=channel_id,
                    target_type="latlong" if area else "location",
                    target_name=area or "Ground Kontrol Classic Arcade",
                    location_id=None if area else location_id,
                    poll_rate_minutes=poll_rate_minutes,
                    notification_types=kind,
                    created_at=now,
                    last_checked_at=now,
                )
            )

    async def turn(self, seconds: float = 60) -> None:
        """Let `seconds` pass, then poll if it is time, read any gap to its end, and deliver what is due."""
        self.clock.advance(seconds)
        while not await self.poller.step():
            pass
        await self.sender.drain()

    def problem(self) -> str | None:
        """Why the last poll failed, or None."""
        return self.poller.problem

    def shown(self, channel_id: int = CHANNEL) -> list[int]:
        return self.destination.shown(channel_id)


@asynccontextmanager
async def running_pipeline(clock: ManualClock, database: Database) -> AsyncIterator[Pipeline]:
    """A pipeline whose bot was started a moment ago and has seen the world's history."""
    world = World(clock)
    server = PinballMapServer(world, clock)
    await server.start()
    try:
        async with open_session() as session:
            pipeline = Pipeline(clock, database, world, server)
            pipeline.wire(PinballMapClient(session, server.base_url, None, clock, requests_per_minute=60_000))
            await pipeline.poller.step()
            yield pipeline
    finally:
        await server.stop()
