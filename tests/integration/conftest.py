"""The target service on a real database, with what Pinball Map and the geocoder know."""

import pytest

from dispinmap.database.engine import Database
from dispinmap.targets.service import TargetService
from tests.fakes.clock import ManualClock
from tests.fakes.lookups import FakeGeocoder, FakePinballMap
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
