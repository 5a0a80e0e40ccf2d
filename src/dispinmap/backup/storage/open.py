"""Open the storage of a replica."""

from dispinmap.backup.errors import StorageRefused
from dispinmap.backup.models import Replica, StorageKind
from dispinmap.backup.storage.folder import FolderStore
from dispinmap.backup.storage.store import Store
from dispinmap.backup.storage.threaded import BlockingStore, ThreadedStore


def open_store(replica: Replica, *, seconds: float = 10.0) -> Store:
    """The bucket or folder of `replica`; does not access it yet.

    We wait at most `seconds` for each answer of the storage. The first call may take half a minute, because it loads
    the library and looks for credentials; it raises StorageRefused if either is missing.
    """
    return ThreadedStore(str(replica), lambda: _open(replica, seconds), seconds)


def _open(replica: Replica, seconds: float) -> BlockingStore:
    match replica.kind:
        case StorageKind.FILE:
            return FolderStore(replica)
        case StorageKind.GCS:
            return _open_gcs(replica, seconds)
        case StorageKind.S3:
            return _open_s3(replica, seconds)


def _open_gcs(replica: Replica, seconds: float) -> BlockingStore:
    try:
        from dispinmap.backup.storage.gcs import GcsStore  # noqa: PLC0415 -- needs an extra
    except ImportError:
        raise StorageRefused(f"{replica} needs Google's library: install dispinmap[gcs].") from None
    return GcsStore.open(replica, seconds)


def _open_s3(replica: Replica, seconds: float) -> BlockingStore:
    try:
        from dispinmap.backup.storage.s3 import S3Store  # noqa: PLC0415 -- needs an extra
    except ImportError:
        raise StorageRefused(f"{replica} needs Amazon's library: install dispinmap[s3].") from None
    return S3Store.open(replica, seconds)
