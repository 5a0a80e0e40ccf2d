"""The service with the real clients, against the embedded Pinball Map and geocoder over real sockets."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from dispinmap.database.engine import Database
from dispinmap.geocoding.client import GeocodingClient
from dispinmap.http import open_session
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.targets.models import ChannelRef
from dispinmap.targets.service import AddOutcome, TargetService
from dispinmap_sandbox.geocoder_server import GeocoderServer
from dispinmap_sandbox.pinballmap_server import PinballMapServer
from dispinmap_sandbox.world import World
from tests.fakes.clock import ManualClock
from tests.fakes.values import HERE, kinds_of

THERE = ChannelRef(channel_id=200, guild_id=7)


@pytest.fixture
async def service(database: Database, clock: ManualClock) -> AsyncIterator[TargetService]:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session())
        pinballmap, geocoder = PinballMapServer(World(clock), clock), GeocoderServer(clock)
        for server in (pinballmap, geocoder):
            await server.start()
            stack.push_async_callback(server.stop)
        yield TargetService(
            database,
            PinballMapClient(session, pinballmap.base_url, None, clock),
            GeocodingClient(session, geocoder.base_url, clock),
            clock,
        )


async def test_a_location_is_found_in_every_way_and_added_with_its_latest(service: TargetService) -> None:
    (hint,) = await service.suggest_locations("Ground Kon")
    found = {
        await service.find_locations(asked)
        for asked in (
            str(hint.id),
            hint.label,
            f"https://pinballmap.com/map?by_location_id={hint.id}",
            "ground kontrol",
        )
    }
    ((location,),) = found
    added = await service.add_location(HERE, location)
    assert (added.outcome, added.problem, added.target.location_id) == (AddOutcome.ADDED, None, 874)
    times = [row.created_at for row in added.latest]
    assert times == sorted(times, reverse=True)
    assert {row.location_id for row in added.latest} == {874}


async def test_a_city_is_found_and_added_with_its_latest(service: TargetService) -> None:
    (portland,) = await service.find_places("Portland, OR")
    added = await service.add_city(HERE, portland)
    assert added.target.label == "Portland, Oregon, United States"
    assert added.latest
    assert await service.latest_known(HERE.channel_id) == added.latest


async def test_a_setup_moves_to_another_channel(service: TargetService) -> None:
    await service.add_location(HERE, (await service.find_locations("874"))[0])
    await service.add_city(HERE, (await service.find_places("Portland, OR"))[0], 40)
    await service.set_kinds(HERE, kinds_of("all"), "2")
    text = await service.export(HERE.channel_id)
    await service.apply_import(THERE, await service.plan_import(THERE, text))
    assert await service.export(THERE.channel_id) == text
