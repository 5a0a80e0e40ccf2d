"""What can go wrong with a backup, each with the sentence for the operator."""

from dispinmap.errors import DisPinMapError


class BackupError(DisPinMapError):
    """Something about the backup needs the operator; nothing was lost or overwritten."""


class LitestreamMissing(BackupError):
    """There is no Litestream binary, or none of a version we know."""


class StorageError(BackupError):
    """The object storage did not do what was asked."""


class StorageUnreachable(StorageError):
    """No answer, or one of the server's own failures: trying again can help."""


class StorageRefused(StorageError):
    """The bucket or folder is not there, or we may not use it: trying again does not help."""


class Conflict(StorageError):
    """Somebody else wrote the object meanwhile: read it again before deciding anew."""


class NoBackup(BackupError):
    """The replica was read, and holds nothing (or nothing of the time asked for)."""


class RestoreFailed(BackupError):
    """There is a backup, and it could not be restored or did not stand up to the checks."""


class LeaseLost(BackupError):
    """Another bot holds the lease now: stop writing and posting at once, and replicate nothing more."""


class LeaseExpired(BackupError):
    """The lease could not be renewed in time: stop writing and posting at once; nobody else need hold it yet."""
