"""The embedded services for tests in which somebody gives the bot commands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dispinmap.clock import Clock
from dispinmap_sandbox.discord import interactions
from dispinmap_sandbox.services import EmbeddedServices, embedded_services

PATIENCE = 60.0


@asynccontextmanager
async def patient_services(clock: Clock, *, rate_limits: bool = False) -> AsyncIterator[EmbeddedServices]:
    """The services, whose Discord waits a minute for the bot to acknowledge, not three seconds.

    How soon it does on a busy machine says nothing of the bot. What it must not wait for is in tests/e2e/test_edges.py.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interactions, "ACKNOWLEDGE_SECONDS", PATIENCE)
        async with embedded_services(clock, rate_limits=rate_limits) as services:
            yield services
