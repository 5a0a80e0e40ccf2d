"""The errors of the backup. Each carries a sentence for the operator."""

from dispinmap.errors import DisPinMapError


class BackupError(DisPinMapError):
    """The operator has to do something about the backup; nothing was lost or overwritten."""


class LitestreamMissing(BackupError):
    """There is no Litestream binary, or it is of a version we do not know."""


class StorageError(BackupError):
    """The storage did not do what we asked."""


class StorageUnreachable(StorageError):
    """The storage did not answer, or failed by itself: trying again can help."""


class StorageRefused(StorageError):
    """The bucket or folder does not exist, or we may not use it: trying again does not help."""


class Conflict(StorageError):
    """Someone else wrote the object since we read it: read it again, then decide."""


class NoBackup(BackupError):
    """The replica was read and holds nothing (or nothing from the given time)."""


class RestoreFailed(BackupError):
    """There is a backup, but it could not be restored or failed the checks."""


class LeaseLost(BackupError):
    """Another bot holds the lease: stop writing, posting and replicating at once."""


class LeaseExpired(BackupError):
    """We could not renew the lease in time: stop writing and posting at once. Another bot may or may not hold it."""
