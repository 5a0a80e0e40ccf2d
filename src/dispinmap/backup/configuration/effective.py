"""The configuration in effect, from a file, a URL or a bucket."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import yaml

from dispinmap.backup.configuration.checking import check
from dispinmap.backup.configuration.expansion import expand
from dispinmap.backup.configuration.findings import Severity
from dispinmap.backup.configuration.locations import GCS_NAMES, check_bucket, parse_replica_url, read_replica
from dispinmap.backup.models import V5_SUFFIX, Configuration, Format, Replica, StorageKind
from dispinmap.errors import SettingsError
from dispinmap.secret import Secret

SYNC_INTERVAL: Final = "1s"
RETENTION: Final = "72h"
SNAPSHOT_INTERVAL: Final = {Format.V0_3: "6h", Format.V0_5: "24h"}
"""By default 0.3 makes one snapshot per retention, and a restore reads every segment since it; an idle bot stores three
a minute. 0.5 merges its files; it can restore states up to `RETENTION` minus this interval ago, or more."""
SHUTDOWN_SYNC_TIMEOUT: Final = "8s"
"""0.5's default is 30 s, but Cloud Run kills a container 10 s after it asked it to stop."""


def configure(
    version: Format,
    *,
    database: Path,
    bucket: str | None,
    replica_url: str | None,
    file: Path | None,
    environ: Mapping[str, str],
) -> Configuration | None:
    """The configuration from the file, else from the URL, else for the bucket; None if none of them is set.

    Raises SettingsError with one line per error.
    """
    if file is not None:
        found = _from_file(version, database, file, variables(environ, database, bucket))
    elif replica_url:
        found = make_configuration(version, database, parse_replica_url(replica_url), "LITESTREAM_REPLICA_URL")
    elif bucket:
        found = make_configuration(version, database, _in_bucket(bucket, version), "LITESTREAM_BUCKET")
    else:
        return None
    return replace(found, replica=_with_litestream_credentials(found.replica, environ))


def variables(environ: Mapping[str, str], database: Path, bucket: str | None) -> dict[str, str]:
    """The variables for a file: the environment, and the bot's settings if only `.env` or a default sets them."""
    ours = {"LITESTREAM_PATH": str(database), "LITESTREAM_BUCKET": bucket or ""}
    return {**ours, **{name: value for name, value in environ.items() if value}}


def make_configuration(version: Format, database: Path, replica: Replica, source: str) -> Configuration:
    """A configuration that replicates `database` to `replica`, the same as litestream.yml or litestream-0.5.yml."""
    settings = {**_settings(replica, version), "sync-interval": SYNC_INTERVAL}
    interval = SNAPSHOT_INTERVAL[version]
    document: dict[str, object]
    if version is Format.V0_3:
        settings |= {"retention": RETENTION, "snapshot-interval": interval}
        document = {"dbs": [{"path": str(database), "replicas": [settings]}]}
    else:
        document = {
            "snapshot": {"interval": interval, "retention": RETENTION},
            "shutdown-sync-timeout": SHUTDOWN_SYNC_TIMEOUT,
            "dbs": [{"path": str(database), "replica": settings}],
        }
    return Configuration(version, database, replica, document, source)


def _settings(replica: Replica, version: Format) -> dict[str, object]:
    secret = replica.secret_access_key
    settings: dict[str, object] = {
        "type": GCS_NAMES[version] if replica.kind is StorageKind.GCS else str(replica.kind),
        "bucket": replica.bucket,
        "path": replica.path,
        "endpoint": replica.endpoint,
        "region": replica.region,
        "force-path-style": replica.force_path_style if replica.kind is StorageKind.S3 else None,
        "access-key-id": replica.access_key_id,
        "secret-access-key": secret.get_secret_value() if secret else None,
    }
    return {key: value for key, value in settings.items() if value is not None}


def _in_bucket(bucket: str, version: Format) -> Replica:
    try:
        name = check_bucket(bucket)
    except ValueError as error:
        raise SettingsError(f"LITESTREAM_BUCKET is malformed. {error}") from None
    return Replica(StorageKind.GCS, "db" if version is Format.V0_3 else f"db{V5_SUFFIX}", name)


def _from_file(version: Format, database: Path, file: Path, environ: Mapping[str, str]) -> Configuration:
    text = read_file(file)
    errors = [each for each in check(text, version, environ, database) if each.severity is Severity.ERROR]
    if errors:
        raise SettingsError("\n".join(f"LITESTREAM_CONFIG, {file}: {each}" for each in errors))
    document = yaml.safe_load(expand(text, environ))
    # The same file, but by the name that we also use in Litestream's commands.
    document["dbs"][0]["path"] = str(database)
    if version is Format.V0_3:
        document["dbs"][0]["replicas"][0].setdefault("snapshot-interval", SNAPSHOT_INTERVAL[version])
    return Configuration(version, database, read_replica(document, version), document, str(file))


def read_file(file: Path) -> str:
    """The text of a configuration file. Raises SettingsError."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The Litestream configuration {file} cannot be read ({error}): check LITESTREAM_CONFIG and the file's "
            "permissions."
        ) from None


def _with_litestream_credentials(replica: Replica, environ: Mapping[str, str]) -> Replica:
    """Like Litestream, we use LITESTREAM_… keys if AWS_… are not set."""
    key, secret = environ.get("LITESTREAM_ACCESS_KEY_ID"), environ.get("LITESTREAM_SECRET_ACCESS_KEY")
    if replica.kind is not StorageKind.S3 or replica.secret_access_key or "AWS_SECRET_ACCESS_KEY" in environ:
        return replica
    return replace(replica, access_key_id=key, secret_access_key=Secret(secret)) if key and secret else replica
