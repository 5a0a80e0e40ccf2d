"""Adding, listing and removing targets, on a real database."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.engine import Database
from dispinmap.database.queries import channels, seen, submissions
from dispinmap.database.tables import MonitoringTargetRow, NotificationRow
from dispinmap.errors import UserError
from dispinmap.geocoding.models import GeocodingError
from dispinmap.pinballmap.errors import Unavailable
from dispinmap.pinballmap.models import Location, SubmissionType
from dispinmap.targets.models import Area, Channel, ChannelRef, TargetType
from dispinmap.targets.service import AddOutcome, TargetService
from tests.fakes.clock import ManualClock
from tests.fakes.lookups import FakeGeocoder, FakePinballMap
from tests.fakes.stored import watched_targets
from tests.fakes.values import HERE, KONTROL, NOON, PORTLAND, WEDGEHEAD, kinds_of, submission


async def seen_ids(database: Database, channel_id: int = HERE.channel_id) -> set[int]:
    async with database.read() as session:
        rows = await session.execute(
            text("SELECT submission_id FROM seen_submissions WHERE channel_id = :c"), {"c": channel_id}
        )
        return {id_ for (id_,) in rows}


# -- looking up


async def test_a_location_is_found_by_id_link_and_name(service: TargetService) -> None:
    for asked in ("874", "https://pinballmap.com/map?by_location_id=874", '"ground kontrol classic arcade"'):
        assert await service.find_locations(asked) == (KONTROL,)


async def test_an_id_costs_one_cheap_request(service: TargetService, pinballmap: FakePinballMap) -> None:
    await service.find_locations("874")
    assert pinballmap.asked == ["location 874"]


async def test_an_arcade_may_be_called_by_a_number(service: TargetService, pinballmap: FakePinballMap) -> None:
    arcade = Location(5, "1984")
    pinballmap.locations.append(arcade)
    assert await service.find_locations("1984") == (arcade,)


async def test_an_unknown_location_is_not_found(service: TargetService, pinballmap: FakePinballMap) -> None:
    assert await service.find_locations("999999") == ()
    assert await service.find_locations("https://pinballmap.com/locations/999999") == ()
    assert await service.find_locations("nowhere") == ()
    assert pinballmap.asked[2] == "location 999999"


async def test_names_are_suggested(service: TargetService) -> None:
    assert [hint.id for hint in await service.suggest_locations("ground")] == [874]


async def test_no_name_is_asked_for_a_name(service: TargetService) -> None:
    with pytest.raises(UserError, match="Which location"):
        await service.find_locations('""')
    with pytest.raises(UserError, match="Which city"):
        await service.find_places("  ")


async def test_places_come_from_the_geocoder_and_so_do_its_failures(
    service: TargetService, geocoder: FakeGeocoder
) -> None:
    geocoder.places["portland or"] = (PORTLAND,)
    assert await service.find_places('"Portland, OR"') == (PORTLAND,)
    geocoder.failure = GeocodingError("The geocoder does not answer: try again later.")
    with pytest.raises(GeocodingError):
        await service.find_places("Portland")


# -- adding


async def test_a_location_is_stored_with_the_channels_settings_inherited(
    service: TargetService, database: Database, clock: ManualClock
) -> None:
    added = await service.add_location(HERE, KONTROL)
    assert added.outcome is AddOutcome.ADDED
    async with database.read() as session:
        row = (await session.scalars(select(MonitoringTargetRow))).one()
    assert (row.channel_id, row.target_type, row.target_name, row.location_id) == (100, "location", KONTROL.name, 874)
    assert (row.poll_rate_minutes, row.notification_types) == (None, None)
    assert row.created_at == row.last_checked_at == clock.now()
    assert await service.channel(HERE.channel_id) == Channel(100, 7)


async def test_a_city_has_its_point_as_text_and_its_name_to_show(service: TargetService) -> None:
    plain = (await service.add_city(HERE, PORTLAND)).target
    assert (plain.target_name, plain.label) == ("45.52345,-122.67621", "Portland, Oregon, United States")
    wide = (await service.add_city(ChannelRef(101, 7), PORTLAND, 40)).target
    assert wide.target_name == "45.52345,-122.67621,40"


async def test_a_point_always_has_a_radius(service: TargetService) -> None:
    assert (await service.add_coordinates(HERE, 48.1, 11.5)).target.target_name == "48.1,11.5,25"


async def test_coordinates_off_the_map_are_refused_and_leave_nothing(service: TargetService) -> None:
    with pytest.raises(UserError, match="latitude"):
        await service.add_coordinates(HERE, 91, 0)
    with pytest.raises(UserError, match="radius"):
        await service.add_city(HERE, PORTLAND, 101)
    assert await service.channel(HERE.channel_id) is None


async def test_the_same_location_again_is_already_there(service: TargetService, pinballmap: FakePinballMap) -> None:
    first = await service.add_location(HERE, KONTROL)
    asked = len(pinballmap.asked)
    second = await service.add_location(HERE, KONTROL)
    assert second.outcome is AddOutcome.ALREADY_THERE
    assert second.target == first.target
    assert len(pinballmap.asked) == asked


async def test_the_same_city_with_another_radius_changes_the_radius(service: TargetService) -> None:
    first = await service.add_city(HERE, PORTLAND)
    changed = await service.add_city(HERE, PORTLAND, 40)
    assert changed.outcome is AddOutcome.RADIUS_CHANGED
    assert (changed.target.id, changed.target.area) == (first.target.id, Area(45.52345, -122.67621, 40))
    assert (await service.add_city(HERE, PORTLAND)).outcome is AddOutcome.ALREADY_THERE
    assert len(await service.targets(HERE.channel_id)) == 1


async def test_a_point_without_radius_asks_for_no_other_radius(service: TargetService) -> None:
    await service.add_coordinates(HERE, 48.1, 11.5, 40)
    again = await service.add_coordinates(HERE, 48.1, 11.5)
    assert (again.outcome, again.target.target_name) == (AddOutcome.ALREADY_THERE, "48.1,11.5,40")


async def test_ten_people_adding_the_same_at_once_make_one_target(service: TargetService) -> None:
    answers = await asyncio.gather(*(service.add_location(HERE, KONTROL) for _ in range(10)))
    assert [answer.outcome for answer in answers].count(AddOutcome.ADDED) == 1
    assert len({answer.target.id for answer in answers}) == 1


async def test_a_channel_that_moved_to_another_server_is_kept_current(service: TargetService) -> None:
    await service.add_location(HERE, KONTROL)
    await service.add_location(ChannelRef(HERE.channel_id, 8), WEDGEHEAD)
    channel = await service.channel(HERE.channel_id)
    assert channel is not None
    assert channel.guild_id == 8


# -- what was there before


async def test_the_latest_five_of_the_wanted_kind_are_shown_newest_first(
    service: TargetService, pinballmap: FakePinballMap
) -> None:
    pinballmap.submissions = [
        submission(number, type=SubmissionType.NEW_CONDITION if number % 2 else SubmissionType.NEW_LMX)
        for number in range(1, 21)
    ]
    added = await service.add_location(HERE, KONTROL)
    assert [row.id for row in added.latest] == [20, 18, 16, 14, 12]


async def test_what_the_answer_shows_counts_as_seen_in_this_channel(
    service: TargetService, pinballmap: FakePinballMap, database: Database
) -> None:
    pinballmap.submissions = [submission(number) for number in range(1, 21)]
    added = await service.add_location(HERE, KONTROL)
    assert await seen_ids(database) == {row.id for row in added.latest} == {16, 17, 18, 19, 20}
    assert await seen_ids(database, 101) == set()


async def test_what_another_target_is_about_to_announce_is_not_taken_from_it(
    service: TargetService, pinballmap: FakePinballMap, database: Database, clock: ManualClock
) -> None:
    await service.add_location(HERE, KONTROL)
    clock.advance(600)
    fresh = [submission(number, at=clock.now()) for number in range(1, 9)]
    pinballmap.submissions = [*fresh, submission(99, at=NOON, location_id=5)]
    added = await service.add_city(HERE, PORTLAND)
    shown = {row.id for row in added.latest}
    assert shown == {4, 5, 6, 7, 8}
    assert await seen_ids(database) == shown


async def test_an_area_is_asked_for_with_its_circle(service: TargetService, pinballmap: FakePinballMap) -> None:
    await service.add_city(HERE, PORTLAND, 40)
    assert pinballmap.asked == ["submissions near 45.5234,-122.676 within 40"]


async def test_a_fed_submission_stays_fed(
    service: TargetService, pinballmap: FakePinballMap, database: Database
) -> None:
    pinballmap.submissions = [submission(1), submission(2)]
    async with database.write() as session:
        await submissions.remember(session, [submission(1)])
        await submissions.mark_fed(session, [1], NOON)
    await service.add_location(HERE, KONTROL)
    async with database.read() as session:
        assert await submissions.known_ids(session, [1, 2], matched=True) == {1}


async def test_an_outage_keeps_the_target_and_says_so(service: TargetService, pinballmap: FakePinballMap) -> None:
    pinballmap.failure = Unavailable("Pinball Map does not answer: try again later.")
    added = await service.add_location(HERE, KONTROL)
    assert (added.outcome, added.latest) == (AddOutcome.ADDED, ())
    assert added.problem == "Pinball Map does not answer: try again later."
    assert len(await service.targets(HERE.channel_id)) == 1


async def test_the_latest_known_are_those_shown_of_the_wanted_kinds(
    service: TargetService, pinballmap: FakePinballMap
) -> None:
    assert await service.latest_known(HERE.channel_id) == ()
    pinballmap.submissions = [submission(number) for number in range(1, 21)]
    await service.add_city(HERE, PORTLAND)
    known = await service.latest_known(HERE.channel_id)
    assert [row.id for row in known] == [20, 19, 18, 17, 16]
    assert len(await service.latest_known(HERE.channel_id, 2)) == 2
    await service.set_kinds(HERE, kinds_of("comments"))
    assert await service.latest_known(HERE.channel_id) == ()


async def test_what_still_waits_is_not_known_yet(service: TargetService, database: Database) -> None:
    await service.add_location(HERE, KONTROL)
    async with database.write() as session:
        await submissions.remember(session, [submission(1), submission(2)])
        await seen.mark_seen(session, [(100, 1), (100, 2)], NOON)
        session.add(NotificationRow(channel_id=100, submission_id=2, state="pending", due_at=NOON, created_at=NOON))
    assert [row.id for row in await service.latest_known(100)] == [1]


# -- listing


async def test_the_list_counts_from_one_in_the_order_of_adding(service: TargetService) -> None:
    await service.add_location(HERE, WEDGEHEAD)
    await service.add_location(HERE, KONTROL)
    await service.add_location(ChannelRef(101, 7), KONTROL)
    listed = await service.targets(HERE.channel_id)
    assert [(each.index, each.watched.target.location_id) for each in listed] == [(1, 7900), (2, 874)]


async def test_a_row_that_cannot_be_watched_is_listed_with_its_problem(
    service: TargetService, database: Database
) -> None:
    await service.add_location(HERE, KONTROL)
    async with database.write() as session:
        insert = "INSERT INTO monitoring_targets (channel_id, target_type, target_name) VALUES (100, :type, :name)"
        await session.execute(text(insert), {"type": "galaxy", "name": "Andromeda"})
        await session.execute(text(insert), {"type": "city", "name": "Portland"})
    listed = await service.targets(HERE.channel_id)
    assert [each.watched.target.problem is None for each in listed] == [True, False, False]
    async with database.read() as session:
        assert len(await watched_targets(session)) == 1


async def test_settings_out_of_range_fall_back(service: TargetService, database: Database) -> None:
    target = (await service.add_location(HERE, KONTROL)).target
    async with database.write() as session:
        await session.execute(
            text("UPDATE monitoring_targets SET poll_rate_minutes = 0, notification_types = 'loud', created_at = NULL")
        )
        await session.execute(
            text("UPDATE channel_configs SET poll_rate_minutes = -5, notification_types = '', is_active = NULL")
        )
    async with database.read() as session:
        (watched,) = await watched_targets(session)
    assert (watched.poll_rate.total_seconds(), watched.kinds) == (3600, kinds_of("machines"))
    assert watched.target.created_at == target.last_checked_at
    assert watched.channel.is_active


async def test_a_target_without_channel_is_skipped(
    service: TargetService, database_file: Path, database: Database
) -> None:
    await service.add_location(HERE, KONTROL)
    # Foreign keys are off if someone writes a row by hand.
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute(
            "INSERT INTO monitoring_targets (channel_id, target_type, target_name, location_id) "
            "VALUES (5, 'location', 'x', 1)"
        )
    async with database.read() as session:
        assert [each.target.channel_id for each in await watched_targets(session)] == [100]


# -- servers


async def test_leaving_a_server_silences_its_channels_and_coming_back_revives_them(
    service: TargetService, database: Database
) -> None:
    await service.add_location(HERE, KONTROL)
    await service.add_location(ChannelRef(200, 8), KONTROL)
    async with database.write() as session:
        await session.execute(
            text("INSERT INTO channel_parkings VALUES (100, 'gone', 3, '2026-03-01 12:00:00', '2026-03-02 12:00:00')")
        )
    await service.left_guild(7)
    async with database.read() as session:
        assert [each.channel.channel_id for each in await watched_targets(session)] == [200]
    await service.joined_guild(7)
    async with database.read() as session:
        assert len(await watched_targets(session)) == 2
        assert (await session.execute(text("SELECT * FROM channel_parkings"))).all() == []


async def test_a_server_left_and_joined_while_the_database_is_busy_is_joined(
    service: TargetService, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.add_location(HERE, KONTROL)
    write, others_have_written = database.write, asyncio.Event()

    @asynccontextmanager
    async def unlucky() -> AsyncIterator[AsyncSession]:
        """Waiting writers in SQLite retry now and then, so another writer can get in first."""
        monkeypatch.setattr(database, "write", write)
        await others_have_written.wait()
        async with write() as session:
            yield session

    monkeypatch.setattr(database, "write", unlucky)
    leaving, joining = (asyncio.create_task(told(7)) for told in (service.left_guild, service.joined_guild))
    await asyncio.wait({joining}, timeout=0.5)
    others_have_written.set()
    await asyncio.gather(leaving, joining)
    async with database.read() as session:
        assert len(await watched_targets(session)) == 1


async def test_a_start_finds_out_what_happened_before(service: TargetService, database: Database) -> None:
    for guild_id in (7, 8, 9):
        await service.add_location(ChannelRef(guild_id * 10, guild_id), KONTROL)
    await service.left_guild(8)
    await service.reconcile_guilds([8, 9, 1234])
    async with database.read() as session:
        active, inactive = await channels.guilds(session)
    assert (active, inactive) == ({8, 9}, {7})


async def test_a_parked_channel_of_an_active_server_stays_parked_over_a_start(
    service: TargetService, database: Database
) -> None:
    await service.add_location(HERE, KONTROL)
    async with database.write() as session:
        await session.execute(
            text("INSERT INTO channel_parkings VALUES (100, 'gone', 3, '2026-03-01 12:00:00', '2026-03-02 12:00:00')")
        )
    await service.reconcile_guilds([7])
    async with database.read() as session:
        assert len((await session.execute(text("SELECT * FROM channel_parkings"))).all()) == 1


async def test_a_location_is_told_from_an_area_in_the_same_channel(service: TargetService) -> None:
    await service.add_location(HERE, KONTROL)
    await service.add_city(HERE, PORTLAND)
    await service.add_coordinates(HERE, PORTLAND.latitude, PORTLAND.longitude)
    types = [each.watched.target.type for each in await service.targets(HERE.channel_id)]
    assert types == [TargetType.LOCATION, TargetType.CITY, TargetType.LATLONG]
