"""Ways in which an embedded HTTP server can be made to misbehave."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from fnmatch import fnmatchcase


class FaultKind(Enum):
    """What happens to a request."""

    FAIL = auto()
    """It gets the given status."""
    TRUNCATE = auto()
    """It gets half of the body, as if that were all of it."""
    CUT = auto()
    """It gets half of the announced body, then the connection ends."""
    HANG = auto()
    """It gets nothing until it is released."""


@dataclass(slots=True)
class Fault:
    """One arrangement; `times` is how many more requests it meets, None for every one."""

    path_glob: str
    kind: FaultKind
    times: int | None = 1
    status: int = 500
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpFaults:
    """What is to go wrong. Path globs are as in `fnmatch`, on the path below the base URL: "locations/*", "*"."""

    def __init__(self, down: Callable[[], Awaitable[None]], up: Callable[[], Awaitable[None]]) -> None:
        self._down = down
        self._up = up
        self._faults: list[Fault] = []
        self._released = asyncio.Event()

    def fail(
        self,
        path_glob: str,
        status: int,
        *,
        times: int | None = 1,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer with `status`; without a body, with an HTML page, as real servers fail."""
        self._faults.append(Fault(path_glob.lstrip("/"), FaultKind.FAIL, times, status, body, headers or {}))

    def truncate(self, path_glob: str, *, times: int | None = 1) -> None:
        """Answer with a well-formed response whose JSON ends in the middle."""
        self._faults.append(Fault(path_glob.lstrip("/"), FaultKind.TRUNCATE, times))

    def cut(self, path_glob: str, *, times: int | None = 1) -> None:
        """End the connection in the middle of the body."""
        self._faults.append(Fault(path_glob.lstrip("/"), FaultKind.CUT, times))

    def hang(self, path_glob: str, *, times: int | None = 1) -> None:
        """Leave the request without an answer until `release` or `clear`, or until the connection ends."""
        self._faults.append(Fault(path_glob.lstrip("/"), FaultKind.HANG, times))

    def release(self) -> None:
        """Answer, as if nothing had been, the requests that hang now."""
        self._released.set()
        self._released = asyncio.Event()

    def clear(self) -> None:
        """Behave from now on, and release what hangs."""
        self._faults.clear()
        self.release()

    async def down(self) -> None:
        """Close the listening socket and every connection, and what hangs with it: connecting is refused."""
        await self._down()

    async def up(self) -> None:
        """Listen on the same port again."""
        await self._up()

    async def released(self) -> None:
        """Wait for the next release."""
        await self._released.wait()

    def take(self, path: str) -> Fault | None:
        """The fault that meets a request for `path` (below the base URL), used up once; the oldest first."""
        for fault in self._faults:
            if fnmatchcase(path, fault.path_glob):
                self._use(fault)
                return fault
        return None

    def _use(self, fault: Fault) -> None:
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
