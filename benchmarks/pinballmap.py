"""An embedded Pinball Map in a process of its own, so that its work does not count as the bot's."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

from aiohttp import web

from benchmarks.world import START
from dispinmap.sandbox.facts import Facts
from dispinmap.sandbox.pinballmap_server import PinballMapServer
from dispinmap.sandbox.world import World
from tests.fakes.clock import ManualClock

Rows = Sequence[dict[str, object]]


class UnlimitedServer(PinballMapServer):
    """Without the real one's limit of requests a minute."""

    async def gate(self, _request: web.Request) -> web.StreamResponse | None:
        return None


@dataclass(frozen=True, slots=True)
class PinballMap:
    """The process, as seen from the one that measures."""

    base_url: str
    _connection: Connection

    def publish(self, rows: Rows) -> None:
        """Add submissions; they are in the feed when this returns."""
        self._connection.send(rows)
        self._connection.recv()

    def requests(self) -> int:
        """How many there were so far."""
        self._connection.send([])
        counted: Counter[str] = self._connection.recv()
        return counted.total()


@contextmanager
def running_pinball_map(facts: Facts, rows: Rows) -> Iterator[PinballMap]:
    """Start it with these submissions, and end it after the block."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, facts, rows))
    process.start()
    try:
        yield PinballMap(ours.recv(), ours)
    finally:
        ours.send(None)
        process.join()


def _serve(connection: Connection, facts: Facts, rows: Rows) -> None:
    asyncio.run(_answer(connection, facts, rows))


async def _answer(connection: Connection, facts: Facts, rows: Rows) -> None:
    clock = ManualClock(START)
    world = World(clock, history=0, facts=facts)
    world.inject(rows)
    server = UnlimitedServer(world, clock, etags=True)
    await server.start()
    connection.send(server.base_url)
    while (news := await asyncio.to_thread(connection.recv)) is not None:
        world.inject(news)
        connection.send(server.requests)
    await server.stop()
