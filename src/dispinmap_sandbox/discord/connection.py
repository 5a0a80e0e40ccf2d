"""One web socket of the gateway. Sends packets in order, compressed as the client asked."""

import asyncio
import contextlib
import importlib
import json
import zlib
from collections.abc import Callable

from aiohttp import web

from dispinmap_sandbox.discord.models import Json

Compress = Callable[[bytes], bytes]

GOODBYE_SECONDS = 1.0


class Connection:
    """`send` never waits: a separate task writes, so code that causes an event need not be async."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, compression: str | None) -> None:
        self.socket = socket
        self._request = request
        self._compress = compressor(compression)
        self._outgoing: asyncio.Queue[Json] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())

    def send(self, packet: Json) -> None:
        self._outgoing.put_nowait(packet)

    def cut(self) -> None:
        """Abort the connection without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self, code: int) -> None:
        """Send what is queued, then close with that code."""
        # Do not wait longer for a client that has stopped reading.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._outgoing.join()
        await self.socket.close(code=code)

    async def finish(self) -> None:
        """Stop writing."""
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)

    async def _write(self) -> None:
        while True:
            packet = await self._outgoing.get()
            # The connection is gone. `Gateway._listen` notices and cleans up.
            with contextlib.suppress(ConnectionError):
                await self._write_one(json.dumps(packet, separators=(",", ":")))
            self._outgoing.task_done()

    async def _write_one(self, text: str) -> None:
        if self._compress is None:
            await self.socket.send_str(text)
        else:
            await self.socket.send_bytes(self._compress(text.encode()))


def compressor(name: str | None) -> Compress | None:
    """The transport compression a client asked for in the query; None for plain text.

    discord.py asks for zstd-stream if Python has zstd (3.14) or the package zstandard is installed, otherwise for
    zlib-stream. https://discord.com/developers/docs/events/gateway#transport-compression
    """
    if name == "zlib-stream":
        return _zlib()
    if name == "zstd-stream":
        return _zstd()
    return None


def _zlib() -> Compress:
    stream = zlib.compressobj()
    return lambda data: stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


def _zstd() -> Compress:
    """The client that asks for it runs in the same environment, so one of the two modules exists."""
    try:
        stream = importlib.import_module("zstandard").ZstdCompressor().compressobj()
    except ModuleNotFoundError:
        stream = importlib.import_module("compression.zstd").ZstdCompressor()
        return lambda data: bytes(stream.compress(data, mode=stream.FLUSH_BLOCK))
    flush_block = 1  # zstandard.COMPRESSOBJ_FLUSH_BLOCK
    return lambda data: bytes(stream.compress(data) + stream.flush(flush_block))
