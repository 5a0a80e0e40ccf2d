"""How a test makes an embedded HTTP server misbehave."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from fnmatch import fnmatchcase


class FaultKind(Enum):
    """What happens to a request."""

    FAIL = auto()
    """The client gets the given status."""
    TRUNCATE = auto()
    """The client gets half of the body in a complete response."""
    CUT = auto()
    """The client gets half of the announced body, then the connection ends."""
    HANG = auto()
    """The client gets nothing until `release`."""


@dataclass(slots=True)
class Fault:
    """One planned fault. `times` is how many more requests it affects, None for all."""

    path_glob: str
    kind: FaultKind
    times: int | None = 1
    status: int = 500
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpFaults:
    """The planned faults. Globs work as in `fnmatch`, on the path below the base URL: "locations/*", "*"."""

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
        """Answer with `status`. Without `body`, send an HTML page, as real servers do."""
        self._faults.append(Fault(path_glob.lstrip("/"), FaultKind.FAIL, times, status, body, headers or {}))

    def truncate(self, path_glob: str, *, times: int | None = 1) -> None:
        """Answer with a well-formed response whose JSON ends in the middle."""
        self._faults.append(Fault(path_glob.lstrip("/"), FaultKind.TRUNCATE, times))

    def cut(self, path_glob: str, *, times: int | None = 1) -> None:
        """End the connection in the middle of the body."""
        self._faults.append(Fault(path_glob.lstrip("/"), FaultKind.CUT, times))

    def hang(self, path_glob: str, *, times: int | None = 1) -> None:
        """Do not answer until `release` or `clear`, or until the connection ends."""
        self._faults.append(Fault(path_glob.lstrip("/"), FaultKind.HANG, times))

    def release(self) -> None:
        """Answer the requests that hang now, as usual."""
        self._released.set()
        self._released = asyncio.Event()

    def clear(self) -> None:
        """Forget all faults, and answer the requests that hang."""
        self._faults.clear()
        self.release()

    async def down(self) -> None:
        """Close the listening socket and every connection, including hanging ones. New connections are refused."""
        await self._down()

    async def up(self) -> None:
        """Listen on the same port again."""
        await self._up()

    async def released(self) -> None:
        """Wait for the next release."""
        await self._released.wait()

    def take(self, path: str) -> Fault | None:
        """The oldest fault that matches `path` (below the base URL). This uses it once."""
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
