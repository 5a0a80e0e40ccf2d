"""List what can be restored from a backup of either version of Litestream."""

from dispinmap.backup.errors import NoBackup
from dispinmap.backup.models import RestorePoint
from dispinmap.backup.place import Place
from dispinmap.backup.versions import DIALECTS, refuse_mixed_formats


async def stored_points(place: Place, seconds: float) -> list[RestorePoint]:
    """Every state that can be restored, newest first; empty if nothing is stored.

    Raises NoBackup if something is stored but nothing can be restored, BackupError if the other Litestream wrote it,
    and StorageError. Litestream has `seconds` to answer.
    """
    replica = place.configuration.replica
    points = await DIALECTS[place.litestream.format].read_points(place.store, replica)
    if points is None:
        points = await place.litestream.points(place.configuration, seconds=seconds)
    if points:
        return points
    await refuse_mixed_formats(place.configuration, place.store)
    if stored := await place.store.list(replica.path):
        raise NoBackup(
            f"{replica} holds {len(stored)} objects, but nothing that Litestream {place.litestream.version} can "
            "restore: bring back the missing objects (a bucket with versioning still has them)."
        )
    return []
