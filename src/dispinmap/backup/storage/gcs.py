"""Google Cloud Storage. A version is the object's generation.

The library is an extra and has no type hints. Only `storage.open` imports this module, and only if it is needed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from requests import RequestException

from dispinmap.backup.errors import Conflict, StorageError, StorageRefused, StorageUnreachable
from dispinmap.backup.models import Replica
from dispinmap.backup.storage.store import Content, StoredObject, changed

CHUNK_BYTES: Final = 4 * 2**20
_BUSY: Final = (408, 429)
"""https://cloud.google.com/storage/docs/retry-strategy; 429 also comes if one object is written twice in a second."""


class GcsStore:
    """One bucket. Reads are retried within the time limit. Writes never are, so that we know whether they happened."""

    def __init__(self, replica: Replica, client: Client, retry: Retry, seconds: float) -> None:
        self._name = str(replica)
        self._bucket_name = replica.bucket
        self._client = client
        self._limits = {"timeout": (seconds, seconds), "retry": retry}
        with self._translated():
            self._bucket = client.bucket(replica.bucket)

    @classmethod
    def open(cls, replica: Replica, seconds: float) -> Self:
        """A client with the environment's credentials. Raises StorageRefused if there are none."""
        try:
            # Only creating a bucket needs a project.
            client = Client(project=None)
        except GoogleAuthError:
            raise StorageRefused(
                f"There are no credentials for {replica}: run where a service account is attached, or set "
                "GOOGLE_APPLICATION_CREDENTIALS to the file of its key."
            ) from None
        # For tracing, which we do not use, the library would read the bucket's metadata, which needs more permissions.
        client._bucket_metadata_cache = None  # noqa: SLF001 -- the only other way is an environment variable
        return cls(replica, client, DEFAULT_RETRY.with_timeout(seconds), seconds)

    def pages(self, prefix: str) -> Iterator[list[StoredObject]]:
        with self._translated():
            for page in self._client.list_blobs(self._bucket, prefix=f"{prefix}/", **self._limits).pages:
                # Not `updated`, which also changes with the metadata: a lifecycle rule that moves old objects to a
                # cheaper storage class would make them look newest
                # (https://cloud.google.com/storage/docs/json_api/v1/objects).
                yield [StoredObject(blob.name, blob.size, blob.time_created, str(blob.generation)) for blob in page]

    def read(self, key: str) -> Content | None:
        blob = self._bucket.blob(key)
        with self._translated():
            try:
                data = blob.download_as_bytes(**self._limits)
            except NotFound:
                self._require_bucket()
                return None
        return Content(data, str(blob.generation))

    def write(self, key: str, data: bytes, replacing: str | None) -> str:
        blob = self._bucket.blob(key)
        # Generation 0 means "no such object": https://cloud.google.com/storage/docs/request-preconditions
        condition = {"if_generation_match": int(replacing or 0)}
        with self._translated():
            blob.upload_from_string(data, **condition, **self._limits | {"retry": None})
        return str(blob.generation)

    def chunks(self, stored: StoredObject) -> Iterator[bytes]:
        blob = self._bucket.blob(stored.key, generation=int(stored.fingerprint))
        with self._translated():
            for start in range(0, stored.size, CHUNK_BYTES):
                try:
                    chunk = blob.download_as_bytes(start=start, end=start + CHUNK_BYTES - 1, **self._limits)
                except NotFound:
                    self._require_bucket()
                    raise changed(stored) from None
                # Google answers with the generation we asked for, or not at all. Other servers may ignore it.
                if str(blob.generation) != stored.fingerprint:
                    raise changed(stored)
                yield chunk

    def _require_bucket(self) -> None:
        """Raise StorageRefused if there is no bucket. For an object, "not found" can mean the object or the bucket."""
        list(self._client.list_blobs(self._bucket, max_results=1, **self._limits))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except GoogleAPICallError as error:
            raise self._answer(int(error.code or 0)) from error
        except GoogleAuthError as error:
            raise self._credentials(error) from error
        except (RequestException, RetryError, DataCorruption, OSError) as error:
            raise StorageUnreachable(
                f"{self._name} could not be reached ({type(error).__name__}): check the network and Google's status."
            ) from error
        except ValueError as error:
            raise StorageRefused(
                f"{self._bucket_name} cannot be the name of a bucket: check LITESTREAM_BUCKET."
            ) from error

    def _answer(self, status: int) -> StorageError:
        match status:
            case 412:
                return Conflict(f"An object of {self._name} was changed by someone else: read it again.")
            case 404:
                return StorageRefused(
                    f"There is no bucket {self._bucket_name} for {self._name}: check the name, or create it."
                )
            case 401:
                return StorageRefused(f"The credentials for {self._name} are not accepted: renew them.")
            case 403:
                return StorageRefused(
                    f"The credentials may not use {self._name}: give their account the role "
                    "roles/storage.objectUser on the bucket."
                )
        if status in _BUSY or not 400 <= status < 500:
            return StorageUnreachable(f"{self._name} answers {status}: try again later, and check Google's status.")
        return StorageRefused(f"{self._name} answers {status}: check the bucket and the path.")

    def _credentials(self, error: GoogleAuthError) -> StorageError:
        if error.retryable or isinstance(error, TransportError) or isinstance(error.__cause__, TransportError):
            return StorageUnreachable(f"The credentials for {self._name} could not be renewed: check the network.")
        return StorageRefused(f"The credentials for {self._name} are not accepted: renew them.")
