"""The target service and the pipeline, on a real database."""

from collections.abc import AsyncIterator

import pytest
import stamina

from dispinmap.database.engine import Database
from dispinmap.targets.service import TargetService
from tests.fakes.clock import ManualClock
from tests.fakes.lookups import FakeGeocoder, FakePinballMap
from tests.fakes.pipeline import Pipeline, running_pipeline
from tests.fakes.values import KONTROL, WEDGEHEAD


@pytest.fixture
def pinballmap() -> FakePinballMap:
    fake = FakePinballMap()
    fake.locations = [KONTROL, WEDGEHEAD]
    return fake


@pytest.fixture
def geocoder() -> FakeGeocoder:
    return FakeGeocoder()


@pytest.fixture
def service(
    database: Database, pinballmap: FakePinballMap, geocoder: FakeGeocoder, clock: ManualClock
) -> TargetService:
    return TargetService(database, pinballmap, geocoder, clock)


@pytest.fixture
async def pipeline(clock: ManualClock, database: Database) -> AsyncIterator[Pipeline]:
    with stamina.set_testing(True, attempts=1):
        async with running_pipeline(clock, database) as pipeline:
            yield pipeline
