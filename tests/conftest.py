"""Fixtures for everybody: a clock, and a database made by the migrations."""

import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from dispinmap.database.engine import Database
from dispinmap.database.upgrade import upgrade
from tests.fakes.clock import ManualClock

NEW_EXAMPLES = bool(os.environ.get("NEW_EXAMPLES"))
"""Set by `make test-long`, which draws other examples each time; otherwise they are the same ones in every run."""
settings.register_profile(
    "dispinmap",
    derandomize=not NEW_EXAMPLES,
    max_examples=1000 if NEW_EXAMPLES else 100,
    # How long an example takes, or making one, says more about the machine than about the code.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("dispinmap")

CAPTURES = Path(__file__).parents[2] / "shared" / "pinballmap" / "captures"


@pytest.fixture
def captures() -> Path:
    """The folder of captured answers, which lies beside the project and never in it."""
    if not CAPTURES.is_dir():
        pytest.skip("the captured answers are not beside this checkout")
    return CAPTURES


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on 127.0.0.1 where nobody listens, nor can begin to meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


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
