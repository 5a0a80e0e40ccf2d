"""A proxy to the storage that a test can shut: an outage on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Gate:
    """Forwards connections to a server while it is open; shut, it cuts them all and refuses new ones."""

    def __init__(self, server: str) -> None:
        self._server = urlsplit(server)
        self._listening: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._port = 0
        self.asked = 0
        """Bytes sent to the server so far."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Always at the same address."""
        self._listening = await asyncio.start_server(self._forward, "127.0.0.1", self._port)
        self._port = self._listening.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        if self._listening is not None:
            self._listening.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._listening is None or not self._listening.is_serving():
            # Accepted before the gate was shut.
            writer.transport.abort()
            return
        task = asyncio.ensure_future(self._both_ways(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        # Not in the task, which may be cancelled before it begins: then the client would wait for ever.
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _both_ways(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(self._server.hostname, self._server.port)
        try:
            with suppress(ConnectionError):
                await asyncio.gather(self._ask(reader, there_writer), _pour(there_reader, writer))
        finally:
            there_writer.transport.abort()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            self.asked += len(data)
            writer.write(data)
            await writer.drain()
        writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def gate(server: str) -> AsyncIterator[Gate]:
    opened = Gate(server)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.shut()
