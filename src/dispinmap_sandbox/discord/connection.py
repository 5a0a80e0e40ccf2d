"""One web socket of the gateway: packets out in order, compressed as the client asked."""

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
    """`send` never waits: a task of its own writes, so that whoever causes an event need not be asynchronous."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, compression: str | None) -> None:
        self.socket = socket
        self._request = request
        self._compress = compressor(compression)
        self._outgoing: asyncio.Queue[Json] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())

    def send(self, packet: Json) -> None:
        self._outgoing.put_nowait(packet)

    def cut(self) -> None:
        """The line goes dead, without a goodbye."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self, code: int) -> None:
        """Say goodbye with that code, after what is still to be sent."""
        # A client that has stopped reading is not waited for.
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
            # A line that is gone takes nothing more; its reader notices and ends the connection.
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

    discord.py asks for zstd-stream where Python brings zstd (3.14) or the package zstandard is there, otherwise for
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
    """A client that asks for it shares this machine's Python packages, so one of the two is there."""
    try:
        stream = importlib.import_module("zstandard").ZstdCompressor().compressobj()
    except ModuleNotFoundError:
        stream = importlib.import_module("compression.zstd").ZstdCompressor()
        return lambda data: bytes(stream.compress(data, mode=stream.FLUSH_BLOCK))
    flush_block = 1  # zstandard.COMPRESSOBJ_FLUSH_BLOCK
    return lambda data: bytes(stream.compress(data) + stream.flush(flush_block))
