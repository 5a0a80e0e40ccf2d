"""How a test makes an embedded server misbehave."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from fnmatch import fnmatchcase

from aiohttp import web


class FaultKind(Enum):
    """What happens to a request."""

    FAIL = auto()
    """The client gets the given status, and nothing is carried out."""
    TRUNCATE = auto()
    """The client gets half of the body in a complete response."""
    CUT = auto()
    """The client gets half of the announced body, then the connection ends."""
    DROP = auto()
    """The request is carried out, then the connection ends without an answer."""
    HANG = auto()
    """The client gets nothing until `release`."""
    DELAY = auto()
    """The request waits for `seconds` of real time."""


@dataclass(slots=True)
class Fault:
    """One planned fault. `times` is how many more requests it affects, None for all."""

    path_glob: str
    kind: FaultKind
    method: str = "*"
    times: int | None = 1
    status: int = 500
    body: Mapping[str, object] | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class Faults:
    """The planned faults of a server.

    Globs work as in `fnmatch`, so that `*` also matches slashes, on the path below the base URL: "locations/*", "*",
    "/channels/*/messages". Without `method` any method matches.
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._released = asyncio.Event()

    def fail(
        self,
        path_glob: str,
        status: int,
        *,
        method: str = "*",
        times: int | None = 1,
        body: Mapping[str, object] | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer with `status`, and without `body` with what the real server sends. A text is sent as HTML."""
        self._plan(Fault(path_glob, FaultKind.FAIL, method, times, status, body, headers or {}))

    def truncate(self, path_glob: str, *, times: int | None = 1) -> None:
        """Answer with a well-formed response whose JSON ends in the middle."""
        self._plan(Fault(path_glob, FaultKind.TRUNCATE, times=times))

    def cut(self, path_glob: str, *, times: int | None = 1) -> None:
        """End the connection in the middle of the body."""
        self._plan(Fault(path_glob, FaultKind.CUT, times=times))

    def drop(self, path_glob: str, *, method: str = "*", times: int | None = 1) -> None:
        """Carry out the request, but end the connection without an answer."""
        self._plan(Fault(path_glob, FaultKind.DROP, method, times))

    def hang(self, path_glob: str, *, times: int | None = 1) -> None:
        """Do not answer until `release` or `clear`, or until the connection ends."""
        self._plan(Fault(path_glob, FaultKind.HANG, times=times))

    def delay(self, path_glob: str, seconds: float, *, method: str = "*", times: int | None = None) -> None:
        """Wait for `seconds` of real time before anything else: the next `times`, or always until `clear`."""
        self._plan(Fault(path_glob, FaultKind.DELAY, method, times, seconds=seconds))

    def release(self) -> None:
        """Answer the requests that hang now, as usual."""
        self._released.set()
        self._released = asyncio.Event()

    def clear(self) -> None:
        """Forget all faults, and answer the requests that hang."""
        self._faults.clear()
        self.release()

    def take(self, method: str, path: str) -> Fault | None:
        """The oldest fault that matches a request. This uses it once."""
        for fault in self._faults:
            if fnmatchcase(method, fault.method) and fnmatchcase(path.lstrip("/"), fault.path_glob.lstrip("/")):
                self._use(fault)
                return fault
        return None

    async def hold(self, fault: Fault | None) -> None:
        """Wait as long as a fault wants a request to wait."""
        if fault is not None and fault.kind is FaultKind.DELAY:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind is FaultKind.HANG:
            await self._released.wait()

    def _plan(self, fault: Fault) -> None:
        self._faults.append(fault)

    def _use(self, fault: Fault) -> None:
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)


async def broken(kind: FaultKind, answer: web.StreamResponse, request: web.Request) -> web.StreamResponse:
    """What is left of an answer: half of it, complete (TRUNCATE) or cut off (CUT), or nothing (DROP)."""
    body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
    half = body[: len(body) // 2]
    if kind is FaultKind.TRUNCATE:
        return web.Response(status=answer.status, body=half, content_type="application/json")
    if kind is FaultKind.CUT:
        stream = web.StreamResponse(status=answer.status, headers={"Content-Length": str(len(body))})
        stream.content_type = "application/json"
        await stream.prepare(request)
        await stream.write(half)
        _end(request, abruptly=False)
        return stream
    if kind is FaultKind.DROP:
        _end(request, abruptly=True)
    return answer


def _end(request: web.Request, *, abruptly: bool) -> None:
    """End the connection, and first send what was written unless `abruptly`."""
    if request.transport is not None:
        (request.transport.abort if abruptly else request.transport.close)()
