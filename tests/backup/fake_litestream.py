"""A fake Litestream whose restores have the outcomes that a test sets."""

import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from dispinmap.backup.litestream.litestream import Replication
from dispinmap.backup.models import Configuration, Format, RestorePoint


class FakeLitestream:
    """Each restore is the next outcome: a file to copy, or an error to raise."""

    path = Path("litestream")
    allows_checkpoints = True

    def __init__(self, version: Format, outcomes: Iterable[Path | Exception]) -> None:
        self.format = version
        self.version = f"{version}.0"
        self._outcomes = iter(outcomes)
        self.asked: list[tuple[Configuration, datetime | None, float]] = []

    async def restore(
        self, configuration: Configuration, target: Path, *, at: datetime | None = None, seconds: float = 120.0
    ) -> None:
        self.asked.append((configuration, at, seconds))
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        shutil.copy(outcome, target)

    async def points(self, configuration: Configuration, *, seconds: float = 60.0) -> list[RestorePoint]:
        raise NotImplementedError(configuration, seconds)

    def replicate(self, configuration: Configuration) -> Replication:
        raise NotImplementedError(configuration)

    async def replicate_once(self, configuration: Configuration, *, seconds: float = 120.0) -> None:
        raise NotImplementedError(configuration, seconds)
