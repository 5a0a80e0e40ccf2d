"""A server on loopback that a test can disconnect and connect again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Gate:
    """Passes bytes on to `target` ("http://host:port") while it is open; connections are cut when it shuts."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._open = True
        self._writers: set[asyncio.StreamWriter] = set()

    def shut(self) -> None:
        self._open = False
        for writer in self._writers:
            writer.close()

    def reopen(self) -> None:
        self._open = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.close()
            return
        self._writers.add(writer)
        there, here = await asyncio.open_connection(self._host, self._port)
        self._writers.add(here)
        if writer.is_closing():
            # It was shut while we connected.
            here.close()
        try:
            await asyncio.gather(_pass_on(reader, here), _pass_on(there, writer))
        finally:
            self._writers -= {writer, here}


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def gate_before(target: str) -> AsyncIterator[tuple[Gate, str]]:
    """The gate, and the address to use instead of `target`."""
    gate = Gate(target)
    server = await asyncio.start_server(gate.serve, "127.0.0.1", 0)
    try:
        yield gate, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        gate.shut()
        server.close()
