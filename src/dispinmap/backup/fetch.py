"""Replicas of Litestream 0.3 read by ourselves: no binary is needed, and a hole is seen."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dispinmap.backup.generations import Plan
from dispinmap.backup.models import Replica
from dispinmap.backup.storage.store import Store


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched. `warning` is None where the file is whole."""

    plan: Plan
    stored_at: datetime
    """When the last of what is in it was stored."""
    warning: str | None = None


async def fetch(
    store: Store,
    replica: Replica,
    target: Path,
    *,
    at: datetime | None = None,
    generation: str | None = None,
    snapshot_only: bool = False,
) -> Fetched:
    """Write the newest state, or the last one stored by `at`, to `target`, which must not exist."""
    raise NotImplementedError


async def check_continuity(store: Store, replica: Replica, *, at: datetime | None = None) -> list[str]:
    """What Litestream 0.3 would have skipped in silence when it restored the same state, a sentence each.

    Raises NoBackup, RestoreFailed and StorageError.
    """
    raise NotImplementedError
