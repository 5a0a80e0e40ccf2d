"""Object storage in memory whose answers can get lost, as real servers' rarely do."""

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from pathlib import Path

from dispinmap.backup.errors import Conflict, StorageUnreachable
from dispinmap.backup.storage.store import Content, StoredObject


class Network(StrEnum):
    """The state of a client's network."""

    UP = "up"
    DOWN = "down"
    """No request arrives."""
    DEAF = "deaf"
    """Every request arrives, but no answer comes back."""
    SLOW = "slow"
    """No answer comes back; writes arrive later, when the test lets them through, and their conditions count then."""


@dataclass
class Objects:
    """What several clients share."""

    contents: dict[str, Content] = field(default_factory=dict)
    on_the_way: list[tuple[str, bytes, str | None]] = field(default_factory=list)
    versions: "count[int]" = field(default_factory=lambda: count(1))

    def put(self, key: str, data: bytes, replacing: str | None) -> str:
        found = self.contents.get(key)
        if (found.version if found else None) != replacing:
            raise Conflict(f"{key} was changed by someone else.")
        self.contents[key] = Content(data, str(next(self.versions)))
        return self.contents[key].version

    def let_through(self) -> None:
        waiting, self.on_the_way = self.on_the_way, []
        for key, data, replacing in waiting:
            try:
                self.put(key, data, replacing)
            except Conflict:
                continue


@dataclass
class MemoryStore:
    """One client of the objects."""

    objects: Objects = field(default_factory=Objects)
    network: Network = Network.UP

    async def list(self, prefix: str) -> list[StoredObject]:
        raise NotImplementedError

    async def download(self, stored: StoredObject, target: Path) -> None:
        raise NotImplementedError

    async def read(self, key: str) -> Content | None:
        if self.network is not Network.UP:
            raise StorageUnreachable("The storage did not answer.")
        return self.objects.contents.get(key)

    async def write(self, key: str, data: bytes, *, replacing: str | None) -> str:
        if self.network is Network.SLOW:
            self.objects.on_the_way.append((key, data, replacing))
        if self.network in (Network.DOWN, Network.SLOW):
            raise StorageUnreachable("The storage did not answer.")
        version = self.objects.put(key, data, replacing)
        if self.network is Network.DEAF:
            raise StorageUnreachable("The storage did not answer.")
        return version
