"""Errors of the libraries become sentences with a cure and without secrets."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from dispinmap.backup.errors import Conflict, StorageError, StorageRefused, StorageUnreachable
from dispinmap.backup.models import Replica, StorageKind
from dispinmap.backup.storage.open import open_store
from dispinmap.secret import Secret
from tests.fakes.object_stores import AWS_ENVIRONMENT

SECRET = "a-very-secret-key"
GCS = Replica(StorageKind.GCS, "db", "my-bucket")
S3 = Replica(
    StorageKind.S3,
    "db",
    "my-bucket",
    region="us-east-1",
    force_path_style=True,
    access_key_id="id",
    secret_access_key=Secret(SECRET),
)


@asynccontextmanager
async def answering(status: int, body: str = "") -> AsyncIterator[str]:
    """A server with one answer to everything."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def s3_error(code: str) -> str:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>about {SECRET}</Message></Error>"


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (401, StorageRefused, "not accepted: renew them"),
        (403, StorageRefused, r"roles/storage\.objectUser"),
        (404, StorageRefused, "no bucket my-bucket"),
        (400, StorageRefused, "answers 400"),
        (412, Conflict, "someone else"),
        (429, StorageUnreachable, "answers 429: try again"),
        (503, StorageUnreachable, "answers 503: try again"),
    ],
)
async def test_each_of_googles_answers_has_its_sentence(
    status: int, kind: type[StorageError], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(status) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        with pytest.raises(kind, match=sentence) as caught:
            await open_store(GCS, seconds=5).write("db.lease", b"x", replacing=None)
    assert "my-bucket" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "kind", "sentence"),
    [
        (403, "InvalidAccessKeyId", StorageRefused, r"not accepted \(InvalidAccessKeyId\): renew them"),
        (403, "SignatureDoesNotMatch", StorageRefused, "not accepted"),
        (403, "AccessDenied", StorageRefused, "s3:PutObject"),
        (404, "NoSuchBucket", StorageRefused, "no bucket my-bucket"),
        (400, "AuthorizationHeaderMalformed", StorageRefused, "another region"),
        (400, "Whatever", StorageRefused, "answers Whatever"),
        (412, "PreconditionFailed", Conflict, "someone else"),
        (409, "ConditionalRequestConflict", Conflict, "someone else"),
        (404, "NoSuchKey", Conflict, "someone else"),
        (503, "SlowDown", StorageUnreachable, "try again later"),
        (500, "InternalError", StorageUnreachable, "try again later"),
    ],
)
async def test_each_of_amazons_answers_has_its_sentence(
    status: int, code: str, kind: type[StorageError], sentence: str
) -> None:
    async with answering(status, s3_error(code)) as address:
        store = open_store(replace(S3, endpoint=address), seconds=5)
        with pytest.raises(kind, match=sentence) as caught:
            await store.write("db.lease", b"x", replacing='"v"')
    assert "my-bucket" in str(caught.value)
    assert SECRET not in str(caught.value)


async def test_without_credentials_google_is_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    with pytest.raises(
        StorageRefused, match=r"no credentials for gcs://my-bucket/db: .*GOOGLE_APPLICATION_CREDENTIALS"
    ):
        await open_store(GCS).list("db")


async def test_without_credentials_amazon_is_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in AWS_ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    replica = replace(S3, access_key_id=None, secret_access_key=None, endpoint="http://127.0.0.1:9")
    with pytest.raises(StorageRefused, match=r"no credentials for s3://my-bucket/db: set AWS_ACCESS_KEY_ID"):
        await open_store(replica).list("db")


@pytest.mark.parametrize(
    ("replica", "library", "extra"), [(GCS, "google.cloud.storage", "gcs"), (S3, "boto3.session", "s3")]
)
async def test_a_missing_library_is_named_with_its_extra(
    replica: Replica, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"dispinmap.backup.storage.{extra}", raising=False)
    with pytest.raises(StorageRefused, match=rf"install dispinmap\[{extra}\]"):
        await open_store(replica).list("db")


@pytest.mark.parametrize("replica", [GCS, S3], ids=str)
async def test_a_name_that_no_bucket_can_have_is_refused(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(StorageRefused, match="bucket"):
        await open_store(replace(replica, bucket="-no name-", endpoint="http://127.0.0.1:9")).list("db")


async def test_a_silent_server_is_unreachable_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering_never() as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        for replica in (GCS, replace(S3, endpoint=address)):
            async with asyncio.timeout(45):
                with pytest.raises(StorageUnreachable, match="my-bucket"):
                    await open_store(replica, seconds=0.3).write("db.lease", b"x", replacing=None)


@asynccontextmanager
async def answering_never() -> AsyncIterator[str]:
    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: connections.append(writer), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for writer in connections:
            writer.close()
        server.close()


async def test_a_folder_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    folder = tmp_path / "db"
    folder.mkdir(mode=0)
    with pytest.raises(StorageRefused, match="let the user that runs the bot"):
        await open_store(Replica(StorageKind.FILE, str(folder))).list(str(folder))


async def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.touch()
    with pytest.raises(StorageRefused, match="Not a directory"):
        await open_store(Replica(StorageKind.FILE, str(path))).list(str(path))
