"""The configuration in effect, from a file, a URL or a bucket."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import yaml

from dispinmap.backup.configuration.checking import check, expand
from dispinmap.backup.configuration.findings import Severity
from dispinmap.backup.configuration.locations import check_bucket, parse_replica_url, read_replica
from dispinmap.backup.litestream.dialect import Dialect
from dispinmap.backup.models import Configuration, Format, Replica, StorageKind
from dispinmap.backup.versions import DIALECTS
from dispinmap.errors import SettingsError
from dispinmap.secret import Secret

SYNC_INTERVAL: Final = "1s"
RETENTION: Final = "72h"


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
        found = make_configuration(version, database, _in_bucket(bucket, DIALECTS[version]), "LITESTREAM_BUCKET")
    else:
        return None
    return replace(found, replica=_with_litestream_credentials(found.replica, environ))


def variables(environ: Mapping[str, str], database: Path, bucket: str | None) -> dict[str, str]:
    """The variables for a file: the environment, and the bot's settings if only `.env` or a default sets them."""
    ours = {"LITESTREAM_PATH": str(database), "LITESTREAM_BUCKET": bucket or ""}
    return {**ours, **{name: value for name, value in environ.items() if value}}


def make_configuration(version: Format, database: Path, replica: Replica, source: str) -> Configuration:
    """A configuration that replicates `database` to `replica`, the same as litestream.yml or litestream-0.5.yml."""
    dialect = DIALECTS[version]
    settings = {**_settings(replica, dialect), "sync-interval": SYNC_INTERVAL}
    return Configuration(version, database, replica, dialect.make_document(str(database), settings, RETENTION), source)


def _settings(replica: Replica, dialect: Dialect) -> dict[str, object]:
    secret = replica.secret_access_key
    settings: dict[str, object] = {
        "type": dialect.gcs_name if replica.kind is StorageKind.GCS else str(replica.kind),
        "bucket": replica.bucket,
        "path": replica.path,
        "endpoint": replica.endpoint,
        "region": replica.region,
        "force-path-style": replica.force_path_style if replica.kind is StorageKind.S3 else None,
        "access-key-id": replica.access_key_id,
        "secret-access-key": secret.get_secret_value() if secret else None,
    }
    return {key: value for key, value in settings.items() if value is not None}


def _in_bucket(bucket: str, dialect: Dialect) -> Replica:
    try:
        name = check_bucket(bucket)
    except ValueError as error:
        raise SettingsError(f"LITESTREAM_BUCKET is malformed. {error}") from None
    return Replica(StorageKind.GCS, dialect.path_in_bucket, name)


def _from_file(version: Format, database: Path, file: Path, environ: Mapping[str, str]) -> Configuration:
    text = read_file(file)
    errors = [each for each in check(text, version, environ, database) if each.severity is Severity.ERROR]
    if errors:
        raise SettingsError("\n".join(f"LITESTREAM_CONFIG, {file}: {each}" for each in errors))
    document = yaml.safe_load(expand(text, environ))
    # The same file, but by the name that we also use in Litestream's commands.
    document["dbs"][0]["path"] = str(database)
    dialect = DIALECTS[version]
    document = dialect.with_defaults(document)
    return Configuration(version, database, read_replica(document, dialect), document, str(file))


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
