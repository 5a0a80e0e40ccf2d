"""Turn the libraries' blocking clients into a Store."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol, TypeVar, TypeVarTuple, Unpack

from dispinmap.backup.errors import BackupError, StorageUnreachable
from dispinmap.backup.storage.store import Content, StoredObject
from dispinmap.backup.threads import in_thread

OPENING_SECONDS: Final = 30.0
"""For the first call: Google's library alone takes about ten seconds to find out that there are no credentials."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class BlockingStore(Protocol):
    """A client of one library. Raises StorageUnreachable, StorageRefused and Conflict, never the library's errors."""

    def pages(self, prefix: str) -> Iterator[list[StoredObject]]:
        """The objects below `prefix`; each page is one request."""
        ...

    def read(self, key: str) -> Content | None: ...

    def write(self, key: str, data: bytes, replacing: str | None) -> str: ...

    def chunks(self, stored: StoredObject) -> Iterator[bytes]:
        """The bytes of the listed object; each chunk is one request or a part of one. Raises Conflict if it changed."""
        ...


class ThreadedStore:
    """A Store in which each step takes `seconds` at most. The first call opens the library.

    `name` is the replica's address for people.
    """

    def __init__(self, name: str, opener: Callable[[], BlockingStore], seconds: float) -> None:
        self._name = name
        self._opener = opener
        self._seconds = seconds
        self._opened: BlockingStore | None = None

    async def list(self, prefix: str) -> list[StoredObject]:
        pages = (await self._open()).pages(prefix)
        found: list[StoredObject] = []
        while (page := await self._limited(next, pages, None)) is not None:
            # If someone creates a folder in Google's or Amazon's console, it is stored as an object of that name.
            found += [each for each in page if each.key != f"{prefix}/"]
        return sorted(found, key=lambda each: each.key)

    async def read(self, key: str) -> Content | None:
        return await self._limited((await self._open()).read, key)

    async def write(self, key: str, data: bytes, *, replacing: str | None) -> str:
        return await self._limited((await self._open()).write, key, data, replacing)

    async def download(self, stored: StoredObject, target: Path) -> None:
        chunks = (await self._open()).chunks(stored)
        part = target.with_name(f"{target.name}.part")
        try:
            while await self._limited(_append_next, chunks, part):
                pass
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    async def _open(self) -> BlockingStore:
        if self._opened is None:
            self._opened = await self._limited(self._opener, seconds=max(self._seconds, OPENING_SECONDS))
        return self._opened

    async def _limited(self, function: Callable[[Unpack[Ts]], T], *args: *Ts, seconds: float | None = None) -> T:
        limit = self._seconds if seconds is None else seconds
        try:
            return await in_thread(function, *args, seconds=limit)
        except TimeoutError:
            raise StorageUnreachable(
                f"{self._name} did not answer within {limit:g} seconds: check the network and the storage's status."
            ) from None


def _append_next(chunks: Iterator[bytes], part: Path) -> bool:
    """Append one chunk to `part`; returns whether there may be another."""
    try:
        with part.open("ab") as file:
            chunk = next(chunks, None)
            if chunk is None:
                return False
            file.write(chunk)
    except OSError as error:
        raise BackupError(
            f"{part} cannot be written ({error.strerror}): check that its disk has room and its folder is writable."
        ) from error
    return True
