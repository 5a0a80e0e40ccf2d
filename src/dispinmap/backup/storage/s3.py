"""Amazon S3 and compatible servers. A version is the object's ETag.

The library is an extra. Only `storage.open` imports this module, and only if it is needed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

from boto3.session import Session
from botocore import exceptions as boto
from botocore.config import Config

from dispinmap.backup.errors import Conflict, StorageError, StorageRefused, StorageUnreachable
from dispinmap.backup.models import Replica
from dispinmap.backup.storage.store import Content, StoredObject, changed

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

CHUNK_BYTES: Final = 4 * 2**20
READ_ATTEMPTS: Final = 3
_CREDENTIALS: Final = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired"}
)
"""This and the codes below are from https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html."""
_REGION: Final = frozenset({"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"})
_CHANGED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_BUSY: Final = frozenset({"RequestTimeout", "SlowDown", "TooManyRequests", "Throttling", "RequestTimeTooSkewed"})


class S3Store:
    """One bucket. Reads are retried a few times. Writes never are, so that we know whether they happened."""

    def __init__(self, replica: Replica, reader: "S3Client", writer: "S3Client") -> None:
        self._name = str(replica)
        self._bucket = replica.bucket or ""
        self._reader = reader
        self._writer = writer

    @classmethod
    def open(cls, replica: Replica, seconds: float) -> Self:
        """Clients with the replica's credentials or the environment's."""
        # Our own session: the library's default session must not be used by several threads.
        secret = replica.secret_access_key
        session = Session(replica.access_key_id, secret.get_secret_value() if secret else None, None, replica.region)
        try:
            return cls(
                replica,
                reader=_client(session, replica, seconds, READ_ATTEMPTS),
                writer=_client(session, replica, seconds, 1),
            )
        except (boto.BotoCoreError, ValueError) as error:
            raise StorageRefused(
                f"{replica} cannot be used ({type(error).__name__}): check the endpoint and the region."
            ) from error

    def pages(self, prefix: str) -> Iterator[list[StoredObject]]:
        with self._translated():
            listing = self._reader.get_paginator("list_objects_v2")
            for page in listing.paginate(Bucket=self._bucket, Prefix=f"{prefix}/"):
                yield [
                    StoredObject(each["Key"], each["Size"], each["LastModified"], each["ETag"])
                    for each in page.get("Contents", [])
                ]

    def read(self, key: str) -> Content | None:
        with self._translated():
            try:
                found = self._reader.get_object(Bucket=self._bucket, Key=key)
            except self._reader.exceptions.NoSuchKey:
                return None
            return Content(found["Body"].read(), found["ETag"])

    def write(self, key: str, data: bytes, replacing: str | None) -> str:
        with self._translated():
            try:
                if replacing is None:
                    return self._writer.put_object(Bucket=self._bucket, Key=key, Body=data, IfNoneMatch="*")["ETag"]
                return self._writer.put_object(Bucket=self._bucket, Key=key, Body=data, IfMatch=replacing)["ETag"]
            except self._writer.exceptions.NoSuchKey:
                raise self._changed() from None

    def chunks(self, stored: StoredObject) -> Iterator[bytes]:
        with self._translated():
            try:
                found = self._reader.get_object(Bucket=self._bucket, Key=stored.key, IfMatch=stored.fingerprint)
            except self._reader.exceptions.NoSuchKey:
                raise changed(stored) from None
            yield from found["Body"].iter_chunks(CHUNK_BYTES)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except boto.ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            raise self._answer(error.response.get("Error", {}).get("Code", ""), status) from error
        except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError) as error:
            raise StorageRefused(
                f"There are no credentials for {self._name}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run "
                "where a role is attached."
            ) from error
        except (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError, OSError) as error:
            raise StorageUnreachable(
                f"{self._name} could not be reached ({type(error).__name__}): check the network and the endpoint."
            ) from error
        except (boto.BotoCoreError, ValueError) as error:
            raise StorageRefused(
                f"{self._name} cannot be used ({type(error).__name__}): check the bucket's name, the endpoint, the "
                "region and the credentials."
            ) from error

    def _answer(self, code: str, status: int) -> StorageError:
        if code in _CHANGED or status == 412:
            return self._changed()
        if code in _CREDENTIALS or status == 401:
            return StorageRefused(f"The credentials for {self._name} are not accepted ({code}): renew them.")
        if code in _REGION:
            return StorageRefused(f"The bucket {self._bucket} of {self._name} is in another region: set its region.")
        if code in _BUSY or status >= 500 or status == 429:
            return StorageUnreachable(f"{self._name} answers {code or status}: try again later, and check its status.")
        if code == "NoSuchBucket" or status == 404:
            return StorageRefused(f"There is no bucket {self._bucket} for {self._name}: check the name, or create it.")
        if status == 403:
            return StorageRefused(
                f"The credentials may not use {self._name}: allow s3:ListBucket on the bucket, and s3:GetObject, "
                "s3:PutObject and s3:DeleteObject below it."
            )
        return StorageRefused(f"{self._name} answers {code or status}: check the bucket and the path.")

    def _changed(self) -> Conflict:
        return Conflict(f"An object of {self._name} was changed by someone else: read it again.")


def _client(session: Session, replica: Replica, seconds: float, attempts: int) -> "S3Client":
    config = Config(
        connect_timeout=seconds,
        read_timeout=seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
        s3={"addressing_style": "path" if replica.force_path_style else "auto"},
        # Not every compatible server knows Amazon's newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return session.client("s3", endpoint_url=replica.endpoint, config=config)
