"""Fixtures for everybody: a clock, and a database made by the migrations."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from dispinmap.database.engine import Database
from dispinmap.database.upgrade import upgrade
from tests.fakes.clock import ManualClock

# How long an example takes says more about the machine than about the code.
settings.register_profile("dispinmap", deadline=None)
settings.load_profile("dispinmap")

CAPTURES = Path(__file__).parents[2] / "shared" / "pinballmap" / "captures"


@pytest.fixture
def captures() -> Path:
    """The folder of captured answers, which lies beside the project and never in it."""
    if not CAPTURES.is_dir():
        pytest.skip("the captured answers are not beside this checkout")
    return CAPTURES


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database at head; tests copy it, because migrating is the slow part."""
    path = tmp_path_factory.mktemp("database") / "head.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def database_file(tmp_path: Path, migrated_file: Path) -> Path:
    return Path(shutil.copy(migrated_file, tmp_path / "pinball_bot.db"))


@pytest.fixture
async def database(database_file: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{database_file}")
    yield database
    await database.close()
