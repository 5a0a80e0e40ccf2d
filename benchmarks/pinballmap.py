"""An embedded Pinball Map in a process of its own, so that its work does not count as the bot's."""

import asyncio
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
    """The process, as seen from the one that measures with it."""

    base_url: str
    _connection: Connection

    def publish(self, rows: Rows) -> None:
        """Put submissions into the feed in place of those published before, so that a full page has no older ones."""
        self._connection.send(rows)
        self._connection.recv()


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
    published: list[int] = []
    while (news := await asyncio.to_thread(connection.recv)) is not None:
        for id_ in published:
            world.delete_submission(id_)
        world.inject(news)
        published = [row["id"] for row in news]
        connection.send(len(news))
    await server.stop()
