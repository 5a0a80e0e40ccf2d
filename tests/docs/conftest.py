"""An operator whose bot has run for a while, and the services outside the bot."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispinmap.backup.configuration.effective import make_configuration
from dispinmap.backup.configuration.locations import parse_replica_url
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.models import Format, Replica, StorageKind
from dispinmap.clock import SystemClock
from dispinmap_sandbox.services import EmbeddedServices
from tests.backup.conftest import BINARIES
from tests.backup.container import running, watch
from tests.backup.original import replicate_once
from tests.docs.forks import forking
from tests.docs.playing import Operator
from tests.fakes.fast_clock import FastClock
from tests.fakes.object_stores import create_gcs_bucket, gcs_server
from tests.fakes.services import patient_services
from tests.migrations import legacy

LATER = "Added later"
ORIGINAL_BUCKET = "dispinmap-bot-sqlite-backups"


@dataclass(frozen=True)
class Past:
    """A stopped bot's folder. At `then` it watched one location, at the end a second one, `LATER`."""

    folder: Path
    version: Format
    then: datetime


@pytest.fixture
def gcs() -> Iterator[str]:
    """An emulator of Google's storage, empty."""
    with gcs_server() as address:
        yield address


@pytest.fixture
async def original(gcs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An emulator of Google's storage with the bucket of the original bot, filled by Litestream 0.3."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs)
    create_gcs_bucket(gcs, ORIGINAL_BUCKET)
    await replicate_once(Replica(StorageKind.GCS, "db", ORIGINAL_BUCKET), legacy.create(tmp_path / "original.db"))
    return gcs


@pytest.fixture
async def services() -> AsyncIterator[EmbeddedServices]:
    async with patient_services(FastClock(time.time(), 1.0)) as services:
        yield services


@pytest.fixture(scope="session")
def dispinmap() -> Iterator[str]:
    """The text of a program that runs the command without a slow start."""
    with forking() as program:
        yield program


@pytest.fixture(scope="session", params=list(Format))
def past(request: pytest.FixtureRequest, dispinmap: str, tmp_path_factory: pytest.TempPathFactory) -> Past:
    """One with each Litestream, replicated to a folder."""
    return asyncio.run(_past(Operator(tmp_path_factory.mktemp("past"), dispinmap), request.param))


@pytest.fixture
def operator(past: Past, dispinmap: str, tmp_path: Path) -> Operator:
    """In a copy of that bot's folder, with the same Litestream."""
    operator = Operator(Path(shutil.copytree(past.folder, tmp_path / "bot")), dispinmap)
    operator.replicates_to_a_folder()
    operator.uses(past.version)
    return operator


async def _past(operator: Operator, version: Format) -> Past:
    operator.replicates_to_a_folder()
    operator.uses(version)
    async with patient_services(FastClock(time.time(), 1.0)) as services, running(operator.bot(services)) as bot:
        await bot.until_ready()
        await watch(services)
        assert await bot.stop() == 0
    then = datetime.now(UTC)
    litestream = await find_litestream(BINARIES[version], SystemClock())
    replica = parse_replica_url(operator.settings["LITESTREAM_REPLICA_URL"])
    legacy.write(
        operator.database,
        "INSERT INTO monitoring_targets (channel_id, target_type, target_name, location_id)"
        " SELECT channel_id, 'location', ?, 26454 FROM channel_configs",
        LATER,
    )
    await litestream.replicate_once(make_configuration(version, operator.database, replica, "a test"))
    return Past(operator.folder, version, then)
