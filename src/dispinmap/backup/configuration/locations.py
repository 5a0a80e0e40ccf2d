"""Read a replica's address from LITESTREAM_REPLICA_URL or from the settings in a document."""

import os.path
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from dispinmap.backup.configuration.values import first, section
from dispinmap.backup.litestream.dialect import Dialect
from dispinmap.backup.models import Replica, StorageKind
from dispinmap.errors import SettingsError
from dispinmap.secret import Secret

_KINDS: Final = {"gcs": StorageKind.GCS, "gs": StorageKind.GCS, "s3": StorageKind.S3, "file": StorageKind.FILE}
_S3_PARAMETERS: Final = ("endpoint", "region", "forcePathStyle")
_SERVERS: Final = re.compile(
    r"(^|\.)(localhost|(amazonaws|backblazeb2|filebase|digitaloceanspaces|linodeobjects)\.com|scw\.cloud)$|:"
)
"""Hosts that Litestream takes for a server, not a bucket (`ParseHost` in its s3/replica_client.go), and ports."""
_PLAIN_URL: Final = re.compile(r"[A-Za-z0-9_.,:=@+~/-]*")
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]+")
_EXAMPLES: Final = "Write gcs://BUCKET/db, s3://BUCKET/db or file:///folder."


class MalformedReplica(ValueError):
    """The address of a replica is malformed; `key` is the setting at fault."""

    def __init__(self, key: str, sentence: str, cure: str) -> None:
        self.key, self.sentence, self.cure = key, sentence, cure
        super().__init__(f"{sentence} {cure}")


def parse_replica_url(url: str) -> Replica:
    """The replica that LITESTREAM_REPLICA_URL names: gcs:// or gs://, s3://, file:// or the path of a folder.

    s3:// accepts the parameters endpoint, region and forcePathStyle. Raises SettingsError.
    """
    try:
        return _replica({"path" if url.startswith("/") else "url": url})
    except MalformedReplica as error:
        raise SettingsError(f"LITESTREAM_REPLICA_URL is malformed. {error}") from None


def check_bucket(bucket: str) -> str:
    """The name of the bucket. Raises MalformedReplica if it is not a valid name."""
    if not _BUCKET.fullmatch(bucket):
        raise MalformedReplica(
            "bucket", f"“{bucket}” is not the name of a bucket.", "Write the name alone, such as my-bucket."
        )
    return bucket


def read_replica(document: Mapping[str, object], dialect: Dialect) -> Replica:
    """The replica of the document's database, as that version of Litestream reads it. Raises MalformedReplica."""
    database = first(document, "dbs")
    own = first(database, "replicas") or section(database, "replica")
    settings = {**document, **_given(own)}
    _require_understood(settings, dialect)
    return _replica(settings)


def _require_understood(settings: Mapping[str, object], dialect: Dialect) -> None:
    """Raise MalformedReplica if that version of Litestream would read another address than the one meant."""
    url, name, ours = _text(settings, "url"), _kind_name(settings), dialect.gcs_name
    if _KINDS.get(name) is StorageKind.GCS and name != ours:
        key, end = ("url", "://") if url else ("type", "")
        raise MalformedReplica(
            key, f"Litestream {dialect.format} does not know “{name}{end}”.", f"Write “{ours}{end}” instead."
        )
    if name == "file" and not _PLAIN_URL.fullmatch(url):
        raise MalformedReplica(
            "url", "Litestream would use a folder with %-escapes in its name.", "Use `path` instead."
        )
    if name == "s3" and "?" in url and not dialect.reads_url_parameters:
        raise MalformedReplica(
            "url",
            f"Litestream {dialect.format} silently ignores everything after the question mark.",
            "Write `type`, `bucket`, `path`, `endpoint`, `region` and `force-path-style` instead.",
        )


def _replica(settings: Mapping[str, object]) -> Replica:
    """The replica described by the settings of a document."""
    url, path = _text(settings, "url"), _text(settings, "path")
    for key in ("path", "bucket"):
        if url and _text(settings, key):
            raise MalformedReplica(
                "url", f"`url` and `{key}` are both set, which Litestream refuses.", "Keep one of them."
            )
    name = _kind_name(settings)
    if url and not name:
        raise MalformedReplica(
            "url", "It names no kind of storage, and is not an absolute path of a folder.", _EXAMPLES
        )
    if name not in _KINDS:
        raise MalformedReplica(
            "url" if url else "type",
            f"“{name}” is not a kind of storage that the bot can keep its lease on.",
            _EXAMPLES if url else "Write gcs (gs with Litestream 0.5), s3 or file.",
        )
    kind = _KINDS[name]
    if url:
        settings = {**_settings_of(url, kind), **_given(settings)}
        path = _text(settings, "path")
    if kind is StorageKind.FILE:
        return Replica(kind, _folder(path))
    return _in_bucket(kind, _bucket(settings), _key_prefix(path), settings)


def _kind_name(settings: Mapping[str, object]) -> str:
    url = _text(settings, "url")
    return _split(url).scheme if url else _text(settings, "type") or "file"


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise MalformedReplica("url", "That is not a URL.", _EXAMPLES) from None


def _in_bucket(kind: StorageKind, bucket: str, path: str, settings: Mapping[str, object]) -> Replica:
    if kind is StorageKind.GCS:
        return Replica(kind, path, bucket)
    endpoint = _text(settings, "endpoint")
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise MalformedReplica("endpoint", f"“{endpoint}” is not a URL.", "Begin it with https://.")
    forced = settings.get("force-path-style")
    secret = _text(settings, "secret-access-key")
    return Replica(
        kind,
        path,
        bucket,
        endpoint=endpoint or None,
        region=_text(settings, "region") or None,
        # Both versions use the path style if an endpoint is set: usually only Amazon has the bucket in the host name.
        force_path_style=forced if isinstance(forced, bool) else bool(endpoint),
        access_key_id=_text(settings, "access-key-id") or None,
        secret_access_key=Secret(secret) if secret else None,
    )


def _settings_of(url: str, kind: StorageKind) -> dict[str, object]:
    """A URL as the settings it stands for."""
    parts = _split(url)
    if "@" in parts.netloc:
        raise MalformedReplica(
            "url",
            "It contains credentials, but it is shown and logged.",
            "Remove them, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.",
        )
    if parts.fragment or (parts.query and kind is not StorageKind.S3):
        raise MalformedReplica("url", f"{url} has more after the path than this storage needs.", _EXAMPLES)
    if kind is StorageKind.FILE:
        if parts.netloc:
            raise MalformedReplica("url", f"{url} has two slashes instead of three.", "Write file:///folder.")
        return {"path": unquote(parts.path)}
    if kind is StorageKind.S3 and _SERVERS.search(parts.netloc):
        raise MalformedReplica(
            "url",
            f"{parts.netloc} is a server, but the bucket's name belongs here.",
            "Write s3://BUCKET/db?endpoint=https://SERVER&region=REGION.",
        )
    return {"bucket": parts.netloc, "path": unquote(parts.path).removeprefix("/"), **_parameters(parts)}


def _parameters(parts: SplitResult) -> dict[str, object]:
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in given:
        if name not in _S3_PARAMETERS:
            near = get_close_matches(name, _S3_PARAMETERS, 1)
            cure = f"Did you mean {near[0]}?" if near else "Use endpoint, region and forcePathStyle."
            raise MalformedReplica("url", f"{name} is not a parameter of an s3:// URL.", cure)
    forced = given.get("forcePathStyle")
    if forced not in (None, "true", "false"):
        raise MalformedReplica("url", "forcePathStyle is neither true nor false.", "Write forcePathStyle=true.")
    return {
        "endpoint": given.get("endpoint"),
        "region": given.get("region"),
        "force-path-style": None if forced is None else forced == "true",
    }


def _bucket(settings: Mapping[str, object]) -> str:
    bucket = _text(settings, "bucket")
    if not bucket:
        raise MalformedReplica("bucket", "The bucket is missing.", "Add its name.")
    return check_bucket(bucket)


def _key_prefix(path: str) -> str:
    if not path:
        raise MalformedReplica("path", "The path in the bucket is missing.", "Add one, such as db.")
    if any(part in ("", ".", "..") for part in path.removesuffix("/").split("/")):
        raise MalformedReplica(
            "path", f"“{path}” is not a plain path in a bucket.", "Write it without slashes around it."
        )
    return path.removesuffix("/")


def _folder(path: str) -> str:
    folder = os.path.normpath(f"/{path.lstrip('/')}")
    if not path.startswith("/") or folder == "/" or "\0" in path:
        raise MalformedReplica(
            "path", f"“{path}” is not the absolute path of a folder.", "Write it from the root, such as /backup."
        )
    # Links are resolved: a folder with two names would have two leases, and a link to a disk that is not mounted would
    # look like an empty folder.
    return os.path.realpath(folder)


def _given(settings: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in settings.items() if value not in (None, "")}


def _text(settings: Mapping[str, object], key: str) -> str:
    value = settings.get(key)
    return value if isinstance(value, str) else ""
