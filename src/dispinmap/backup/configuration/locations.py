"""Where a replica is: from LITESTREAM_REPLICA_URL or a configuration document to a Replica, and back."""

from dispinmap.backup.models import Format, Replica


def parse_replica_url(url: str, version: Format) -> Replica:
    """The replica that LITESTREAM_REPLICA_URL names. Raises SettingsError with the cure."""
    raise NotImplementedError(url, version)


def read_replica(document: object) -> Replica:
    """The replica of the document's one database. Raises ValueError with a sentence."""
    raise NotImplementedError(document)
