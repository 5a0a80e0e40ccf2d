"""Every Litestream on every kind of storage: {0.3, 0.5} x {GCS, S3, file}."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from uuid import uuid4

import pytest

from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Format, Replica, StorageKind
from dispinmap.clock import SystemClock
from tests.fakes.object_stores import AWS_ENVIRONMENT, create_gcs_bucket, create_s3_bucket, gcs_server, s3_server

PROJECT = Path(__file__).parents[2]
BINARIES = {
    Format.V0_3: Path(sys.executable).parent / "litestream",
    Format.V0_5: PROJECT / ".litestream05" / "bin" / "litestream",
}

LONG = bool(os.environ.get("EVERY_CYCLE"))
"""Set by `make test-long`."""
USUAL = ((StorageKind.GCS, Format.V0_3), (StorageKind.S3, Format.V0_5), (StorageKind.FILE, Format.V0_3))
"""The versions that the documentation recommends, so that each storage and each version is tested once."""
usual_pairs = pytest.mark.parametrize(
    ("place", "binary"), list(product(StorageKind, Format)) if LONG else USUAL, indirect=True
)
"""For long tests; shorter ones cover the whole matrix. `make test-long` runs these on the whole matrix too."""


@pytest.fixture(scope="session")
def gcs() -> Iterator[str]:
    with gcs_server() as address:
        yield address


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


@dataclass(frozen=True, slots=True)
class StoragePlace:
    """A fresh, empty bucket or folder. `url` is what LITESTREAM_REPLICA_URL would say for the path "db" in it."""

    replica: Replica
    url: str


def storage_place(kind: StorageKind, request: pytest.FixtureRequest, folder: Path) -> StoragePlace:
    """Create one, and put what clients need into our environment."""
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    bucket = f"bucket-{uuid4().hex[:12]}"
    if kind is StorageKind.GCS:
        address = request.getfixturevalue("gcs")
        create_gcs_bucket(address, bucket)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        return StoragePlace(Replica(kind, "db", bucket), f"gcs://{bucket}/db")
    if kind is StorageKind.S3:
        address = request.getfixturevalue("s3")
        create_s3_bucket(address, bucket)
        monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
        for name, value in AWS_ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        url = f"s3://{bucket}/db?endpoint={address}&region=us-east-1&forcePathStyle=true"
        return StoragePlace(Replica(kind, "db", bucket, address, "us-east-1", force_path_style=True), url)
    path = folder / "replica" / "db"
    path.parent.mkdir()
    return StoragePlace(Replica(kind, str(path)), f"file://{path}")


@pytest.fixture(params=list(StorageKind))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StoragePlace:
    """Each kind of storage in turn."""
    return storage_place(request.param, request, tmp_path)


@pytest.fixture(params=list(Format))
def binary(request: pytest.FixtureRequest) -> Path:
    """Each Litestream in turn."""
    path = BINARIES[request.param]
    assert shutil.which(path), f"{path} is not there: run make setup"
    return path


@pytest.fixture
async def litestream(binary: Path) -> Litestream:
    """Each Litestream in turn, behind its interface."""
    return await find_litestream(binary, SystemClock())
