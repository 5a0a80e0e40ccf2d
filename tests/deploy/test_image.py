"""The image's steps in a clean folder, and the bot started from what they made, as the user that the image has.

It downloads the pinned packages: `BUILD_IMAGE=1 pytest tests/deploy/test_image.py`.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import aiohttp
import pytest

from dispinmap.cli.entry import EXIT_FAILURE
from dispinmap.cli.sandbox import MISSING
from dispinmap_sandbox.clock import SandboxClock
from dispinmap_sandbox.services import EmbeddedServices, embedded_services
from tests.deploy.dockerfile import environment, last
from tests.deploy.image import Image, built

pytestmark = [
    pytest.mark.skipif("BUILD_IMAGE" not in os.environ, reason="it downloads the pinned packages: set BUILD_IMAGE=1"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the image has Python 3.11, and this one stands for it"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the image's user"),
]

PATIENCE = 40
STOP_SECONDS = 10
FINAL = 1
VERSIONS = ("0.3.13", "0.5.17")


@pytest.fixture(scope="module", params=VERSIONS)
def image(request: pytest.FixtureRequest) -> Iterator[Image]:
    with built(request.param) as image:
        yield image


async def test_the_entry_point_runs(image: Image) -> None:
    assert await image.run("dispinmap", "--version") == f"dispinmap {version('dispinmap')}\n"
    assert "--allow-empty" in await image.run("dispinmap", "start", "--help", TERM="dumb", COLUMNS="100")


async def test_there_is_one_litestream_and_its_configuration_is_good(image: Image) -> None:
    assert image.litestream in await image.run("litestream", "version")
    assert not list((image.root / "app").glob("*0.5*"))
    configuration = str(image.root / "app" / "litestream.yml")
    listed = await image.run("litestream", "databases", "-config", configuration, LITESTREAM_BUCKET="a-bucket")
    assert environment(FINAL)["LITESTREAM_PATH"] in listed


async def test_nothing_is_left_that_only_building_needs(image: Image) -> None:
    for packages in ("usr/local/lib/python3.11/site-packages", "venv/lib/python3.11/site-packages"):
        assert not [name for name in ("pip", "setuptools", "pytest") if (image.root / packages / name).exists()]


async def test_the_sandbox_is_not_there_and_its_command_says_how_to_get_it(image: Image) -> None:
    assert not list(image.root.rglob("dispinmap_sandbox"))
    assert "No module named 'dispinmap_sandbox'" in await image.run("python", "-c", "import dispinmap_sandbox", code=1)
    assert await image.run("dispinmap", "sandbox", code=EXIT_FAILURE) == f"{MISSING}\n"


async def test_both_kinds_of_object_storage_can_be_spoken_to(image: Image) -> None:
    await image.run(
        "python", "-c", "import boto3, google.cloud.storage; boto3.client('s3'); boto3.client('sts', 'us-east-1')"
    )


@pytest.fixture
async def services() -> AsyncIterator[EmbeddedServices]:
    async with embedded_services(SandboxClock()) as services:
        yield services


@asynccontextmanager
async def _running(image: Image, services: EmbeddedServices) -> AsyncIterator[asyncio.subprocess.Process]:
    image.log.write_bytes(b"")
    process = await image.process(
        *(*last("ENTRYPOINT").words, *last("CMD").words),
        **services.environment,
        LITESTREAM_REPLICA_URL=_replica(image),
        PORT="0",
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_starts_is_healthy_and_ready_ends_well_and_leaves_a_good_backup(
    image: Image, services: EmbeddedServices
) -> None:
    before = _files(image.root)
    async with _running(image, services) as process, aiohttp.ClientSession() as http:
        port = await _until_ready(image, process, http)
        (check,) = [json.loads(last("HEALTHCHECK").text.partition("CMD ")[2])]
        await image.run(*check, PORT=str(port))
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS):
            assert await process.wait() == 0, image.log.read_text()
    written = _files(image.root) - before
    assert {path.relative_to(image.root).parts[0] for path in written} == {"data"}
    validated = await image.run("python", "scripts/validate_litestream.py", LITESTREAM_REPLICA_URL=_replica(image))
    assert "The backup is good." in validated


def _replica(image: Image) -> str:
    return f"file://{image.root}/data/backup"


def _files(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_file()}


async def _until_ready(image: Image, process: asyncio.subprocess.Process, http: aiohttp.ClientSession) -> int:
    """The port, once the bot says there that it is ready."""
    async with asyncio.timeout(PATIENCE):
        while True:
            assert process.returncode is None, image.log.read_text()
            for port in _ports(image.log.read_text()):
                with suppress(aiohttp.ClientConnectorError):
                    async with http.get(f"http://127.0.0.1:{port}/ready") as answer:
                        if answer.status == 200:
                            return port
            await asyncio.sleep(0.1)


def _ports(log: str) -> list[int]:
    # What stands behind the last end of a line may be half of one.
    whole = log.rpartition("\n")[0]
    lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    return [line["port"] for line in lines if line.get("event") == "web_listening"]
