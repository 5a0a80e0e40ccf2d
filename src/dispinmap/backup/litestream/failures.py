"""Turn Litestream's error messages into our errors. Its exit code is always 1."""

import re
from typing import Final

from dispinmap.backup.errors import BackupError, NoBackup, RestoreFailed, StorageRefused, StorageUnreachable
from dispinmap.backup.litestream.dialect import parse
from dispinmap.backup.models import Configuration

_NOTHING: Final = re.compile(r"no matching backups? (found|files available)|timestamp does not exist")
_REFUSED: Final = re.compile(
    r"bucket doesn't exist|NoSuchBucket|bucket does not exist|Access ?Denied|Forbidden|permission denied"
    r"|InvalidAccessKeyId|SignatureDoesNotMatch|could not find default credentials|NoCredentialProviders"
    r"|no EC2 IMDS role found|status ?code: 40[13]|Error 40[13]",
    re.IGNORECASE,
)
_UNREACHABLE: Final = re.compile(
    r"connection refused|connection reset|no such host|i/o timeout|network is unreachable|send request failed"
    r"|deadline exceeded|TLS handshake|exceeded maximum number of attempts|status ?code: 5\d\d|Error 5\d\d",
    re.IGNORECASE,
)


def complaint(text: str) -> str:
    """The error in Litestream's last log line, or that line, on one line."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return " ".join(said(lines[-1]).split()) if lines else "no word"


def said(text: str) -> str:
    """The error in one log line, or its message."""
    line = parse(text)
    return str(line.fields.get("error") or line.said.removeprefix("Error: "))


def failure(configuration: Configuration, text: str) -> BackupError:
    """The error for a command on the replica that failed with the output `text`."""
    replica, reason = configuration.replica, masked(configuration, complaint(text))
    if _NOTHING.search(reason):
        return NoBackup(
            f"Litestream {configuration.format} finds no backup in {replica} (from the given time): check the bucket "
            "and the path, and the time if you gave one."
        )
    if _REFUSED.search(reason):
        return StorageRefused(
            f"{replica} cannot be used ({reason}): check that the bucket exists and that the credentials may use it."
        )
    if _UNREACHABLE.search(reason):
        return StorageUnreachable(f"{replica} does not answer ({reason}): check the network and try again.")
    return RestoreFailed(
        f"Litestream could not use what is in {replica} ({reason}): leave the replica as it is, and see `dispinmap "
        "backup list` for other points in time to restore."
    )


def timed_out(configuration: Configuration, seconds: float) -> StorageUnreachable:
    """The error for a command that had to be killed."""
    return StorageUnreachable(
        f"Litestream did not finish with {configuration.replica} within {seconds:g} s: check that the storage answers, "
        "or raise RESTORE_TIMEOUT_SECONDS if the database is large."
    )


def masked(configuration: Configuration, text: str) -> str:
    """`text` without the replica's secret key."""
    secret = configuration.replica.secret_access_key
    return text.replace(secret.get_secret_value(), "**********") if secret and secret.get_secret_value() else text
