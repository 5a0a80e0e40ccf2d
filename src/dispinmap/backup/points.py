"""List what can be restored from a backup of either version of Litestream."""

from dispinmap.backup.configuration.formats import refuse_mixed_formats
from dispinmap.backup.errors import NoBackup
from dispinmap.backup.generations import restore_points
from dispinmap.backup.models import Format, RestorePoint
from dispinmap.backup.place import Place


async def stored_points(place: Place, seconds: float) -> list[RestorePoint]:
    """Every state that can be restored, newest first; empty if nothing is stored.

    Raises NoBackup if something is stored but nothing can be restored, BackupError if the other Litestream wrote it,
    and StorageError. Litestream has `seconds` to answer.
    """
    points = await _points(place, seconds)
    if points:
        return points
    replica = place.configuration.replica
    await refuse_mixed_formats(place.configuration, place.store)
    if stored := await place.store.list(replica.path):
        raise NoBackup(
            f"{replica} holds {len(stored)} objects, but nothing that Litestream {place.litestream.version} can "
            "restore: bring back the missing objects (a bucket with versioning still has them)."
        )
    return []


async def _points(place: Place, seconds: float) -> list[RestorePoint]:
    if place.litestream.format is Format.V0_3:
        # Litestream 0.3 lists only snapshots, although it can restore every upload.
        return restore_points(await place.store.list(place.configuration.replica.path))
    return await place.litestream.points(place.configuration, seconds=seconds)
