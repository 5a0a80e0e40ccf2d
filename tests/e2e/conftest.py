"""The real bot, over real sockets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.stage import Stage, open_stage


@pytest.fixture
async def empty_stage(database_file: Path) -> AsyncIterator[Stage]:
    """The services alone; the test starts the bot."""
    async with open_stage(database_file) as stage:
        yield stage


@pytest.fixture
async def stage(empty_stage: Stage) -> Stage:
    """The services with the bot connected."""
    await empty_stage.start_bot()
    return empty_stage
