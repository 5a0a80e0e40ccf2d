"""What can be restored from a backup, whichever Litestream wrote it."""

from dispinmap.backup.configuration.formats import refuse_mixed_formats
from dispinmap.backup.errors import NoBackup
from dispinmap.backup.generations import restore_points
from dispinmap.backup.models import Format, RestorePoint
from dispinmap.backup.place import Place


async def restorable(place: Place, seconds: float) -> list[RestorePoint]:
    """Every state that can be had, the newest first; nothing where nothing is stored.

    Raises NoBackup where something is stored and none of it can be restored, BackupError where the other Litestream
    wrote it, and StorageError. Litestream has `seconds` to answer.
    """
    points = await _points(place, seconds)
    if points:
        return points
    replica = place.configuration.replica
    await refuse_mixed_formats(place.configuration, place.store)
    if stored := await place.store.list(replica.path):
        raise NoBackup(
            f"{replica} holds {len(stored)} objects and nothing that Litestream {place.litestream.version} could "
            "restore: bring the missing ones back (a bucket with versioning still has them)."
        )
    return []


async def _points(place: Place, seconds: float) -> list[RestorePoint]:
    if place.litestream.format is Format.V0_3:
        # Litestream itself lists its snapshots alone, and can restore every upload.
        return restore_points(await place.store.list(place.configuration.replica.path))
    return await place.litestream.points(place.configuration, seconds=seconds)
