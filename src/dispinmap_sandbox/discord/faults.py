"""Faults on request: answers that fail, come late or never come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from dispinmap_sandbox.discord.models import Json


@dataclass(slots=True)
class Fault:
    """One planned fault for the requests that match."""

    method: str
    path_glob: str
    times: int | None = 1
    """None: until the faults are cleared."""
    status: int | None = None
    """Answer with this status, without carrying out the request."""
    body: Json | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop_after: bool = False
    """Carry out the request, then cut the connection instead of answering."""
    delay: float = 0.0
    """Seconds of real time to wait before anything else."""

    def matches(self, method: str, path: str) -> bool:
        return self.times != 0 and method == self.method.upper() and fnmatchcase(path, self.path_glob)


class Faults:
    """Paths have the form of Discord's documentation, "/channels/123/messages". `*` also matches slashes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def fail(
        self,
        method: str,
        path_glob: str,
        status: int,
        *,
        times: int = 1,
        body: Json | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Refuse the next `times` matching requests without any effect. A text body is sent as text/html."""
        self._faults.append(Fault(method, path_glob, times, status=status, body=body, headers=headers or {}))

    def drop_after(self, method: str, path_glob: str, times: int = 1) -> None:
        """Carry out the next `times` matching requests, but cut the connection without an answer."""
        self._faults.append(Fault(method, path_glob, times, drop_after=True))

    def delay(self, method: str, path_glob: str, seconds: float, times: int | None = None) -> None:
        """Delay matching requests before anything else: the next `times`, or all until `clear`."""
        self._faults.append(Fault(method, path_glob, times, delay=seconds))

    def clear(self) -> None:
        self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The oldest fault that matches this request. This uses it once."""
        for fault in self._faults:
            if fault.matches(method, path):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
