"""Export and import of a whole channel, on a real database."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispinmap.errors import UserError
from dispinmap.geocoding.models import GeocodingError, Place
from dispinmap.pinballmap.errors import Unavailable
from dispinmap.pinballmap.models import Location
from dispinmap.targets.kinds import Kinds
from dispinmap.targets.lookup import Lookup
from dispinmap.targets.models import (
    MAX_POLL_RATE_MINUTES,
    Area,
    Channel,
    ChannelRef,
    Target,
    TargetType,
)
from dispinmap.targets.planning import MAX_LOOKUPS, plan
from dispinmap.targets.service import TargetService
from dispinmap.targets.transfer import AddTarget, SetKinds, SetPollRate, export
from tests.fakes.clock import ManualClock
from tests.fakes.kinds import ANY_KINDS
from tests.fakes.lookups import FakeGeocoder, FakePinballMap
from tests.fakes.values import HERE, KONTROL, PORTLAND, WEDGEHEAD, kinds_of

THERE = ChannelRef(channel_id=200, guild_id=8)
ADDED = datetime(2026, 3, 1, tzinfo=UTC)


async def setup(service: TargetService, channel_id: int) -> list[tuple[object, ...]]:
    """What a channel watches, without what differs between channels."""
    return [
        (target.type, target.target_name, target.label, target.location_id, target.poll_rate_minutes, target.kinds)
        for target in (each.watched.target for each in await service.targets(channel_id))
    ]


async def fill(service: TargetService) -> None:
    await service.set_poll_rate(HERE, 30)
    await service.set_kinds(HERE, kinds_of("all"))
    await service.add_location(HERE, KONTROL)
    await service.add_city(HERE, PORTLAND, 40)
    await service.add_coordinates(HERE, 48.1, 11.5)
    await service.set_poll_rate(HERE, 5, "2")
    await service.set_kinds(HERE, kinds_of("comments"), "3")


async def test_a_channel_is_restored_elsewhere_as_it_was(
    service: TargetService, pinballmap: FakePinballMap, geocoder: FakeGeocoder, clock: ManualClock
) -> None:
    await fill(service)
    pinballmap.failure, pinballmap.asked = Unavailable("Pinball Map does not answer."), []
    text = await service.export(HERE.channel_id)
    clock.advance(3600)
    imported = await service.plan_import(THERE, text)
    assert [step.problem for step in imported.steps if step.problem] == []
    assert await service.channel(THERE.channel_id) is None
    await service.apply_import(THERE, imported)
    assert await setup(service, THERE.channel_id) == await setup(service, HERE.channel_id)
    assert await service.channel(THERE.channel_id) == Channel(200, 8, 30, kinds_of("all"))
    assert geocoder.asked == pinballmap.asked == []
    for each in await service.targets(THERE.channel_id):
        assert each.watched.target.created_at == each.watched.target.last_checked_at == clock.now()


async def test_importing_into_the_exporting_channel_changes_nothing(service: TargetService) -> None:
    await fill(service)
    before = await setup(service, HERE.channel_id)
    imported = await service.plan_import(HERE, await service.export(HERE.channel_id))
    added = [step for step in imported.steps if isinstance(step.action, AddTarget)]
    assert all(step.summary.startswith("Already watched") for step in added)
    await service.apply_import(HERE, imported)
    assert await setup(service, HERE.channel_id) == before


async def test_an_empty_channel_has_nothing_to_export(service: TargetService) -> None:
    with pytest.raises(UserError, match="watch anything yet"):
        await service.export(HERE.channel_id)


async def test_what_the_original_exported_is_imported(service: TargetService, geocoder: FakeGeocoder) -> None:
    geocoder.places["portland or"] = (PORTLAND,)
    text = """
!add location 874
!add location "Wedgehead"
!add coordinates 48.1 11.5 20
!add city "Portland, OR" 25
!poll_rate 30
!poll_rate 5 2
!notifications comments 4
"""
    imported = await service.plan_import(HERE, text)
    await service.apply_import(HERE, imported)
    assert await setup(service, HERE.channel_id) == [
        (TargetType.LOCATION, KONTROL.name, KONTROL.name, 874, None, None),
        (TargetType.LOCATION, "Wedgehead", "Wedgehead", 7900, 5, None),
        (TargetType.LATLONG, "48.1,11.5,20", "48.1,11.5,20", None, None, None),
        (TargetType.CITY, "45.52345,-122.67621,25", PORTLAND.label, None, None, kinds_of("comments")),
    ]


async def test_numbers_count_the_text_not_the_channels_targets(service: TargetService) -> None:
    await service.add_location(HERE, WEDGEHEAD)
    await service.apply_import(HERE, await service.plan_import(HERE, "!add location 874\n!poll_rate 5 1"))
    assert [row[4] for row in await setup(service, HERE.channel_id)] == [None, 5]


async def test_bad_lines_say_why_and_the_good_ones_are_applied(
    service: TargetService, pinballmap: FakePinballMap, geocoder: FakeGeocoder
) -> None:
    pinballmap.locations += [Location(1, "Bar One", "Salem"), Location(2, "Bar Two")]
    geocoder.places["springfield"] = (Place("Springfield", 1, 1, "Ohio"), Place("Springfield", 2, 2, "Texas"))
    text = """hello
!add location 999999
!add location bar
!add city Springfield
!add city Nowhere
!add location 874
!poll_rate 5 1
!poll_rate 5 9
!poll_rate 5 5
"""
    imported = await service.plan_import(HERE, text)
    problems = {step.line_number: step.problem for step in imported.steps if step.problem}
    assert sorted(problems) == [1, 2, 3, 4, 5, 7, 8]
    assert problems[3] is not None
    assert "Bar One, Salem (1); Bar Two, ? (2)" in problems[3]
    assert problems[4] is not None
    assert "Springfield, Ohio; Springfield, Texas" in problems[4]
    assert problems[7] == "Target 1 of this text can’t be added. Correct its line first."
    assert problems[8] == "There is no target 9 in this text, which adds 5. Correct the number."
    await service.apply_import(HERE, imported)
    assert [row[3:5] for row in await setup(service, HERE.channel_id)] == [(874, 5)]


async def test_each_location_is_asked_for_once(service: TargetService, pinballmap: FakePinballMap) -> None:
    imported = await service.plan_import(HERE, "!add location 874\n/add location name:874\n!add location Wedgehead")
    assert pinballmap.asked == ["location 874", "search Wedgehead"]
    await service.apply_import(HERE, imported)
    assert len(await service.targets(HERE.channel_id)) == 2


async def test_an_outage_is_asked_once_and_told_on_every_line(
    service: TargetService, pinballmap: FakePinballMap, geocoder: FakeGeocoder
) -> None:
    pinballmap.failure = Unavailable("Pinball Map does not answer: try again later.")
    geocoder.failure = GeocodingError("The geocoder does not answer: try again later.")
    imported = await service.plan_import(HERE, "!add location 874\n!add location 7900\n!add city Lyon")
    assert [step.problem for step in imported.steps] == [
        "Pinball Map does not answer: try again later.",
        "Pinball Map does not answer: try again later.",
        "The geocoder does not answer: try again later.",
    ]
    assert pinballmap.asked == ["location 874"]


async def test_a_new_radius_is_announced_in_the_dry_run(service: TargetService) -> None:
    await service.add_coordinates(HERE, 48.1, 11.5)
    imported = await service.plan_import(HERE, "!add coordinates 48.1 11.5 40")
    assert imported.steps[0].summary == "Change the radius: 40 miles around 48.1, 11.5"


async def test_text_without_commands_is_refused(service: TargetService) -> None:
    with pytest.raises(UserError, match="no command in this text"):
        await service.plan_import(HERE, "# nothing\n\n")


# -- any set-up survives: export, read, plan

labels = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1).map(str.strip).filter(bool)
degrees = st.integers(-89_000_000, 89_000_000).map(lambda number: number / 1_000_000)
areas = st.builds(Area, degrees, degrees, st.none() | st.integers(1, 1000).map(lambda tenths: max(1, tenths / 10)))
rates = st.none() | st.integers(1, MAX_POLL_RATE_MINUTES)
kinds = st.none() | ANY_KINDS


@st.composite
def any_target(draw: st.DrawFn) -> Target:
    type_ = draw(st.sampled_from(TargetType))
    location = type_ is TargetType.LOCATION
    return Target(
        id=0,
        channel_id=1,
        type=type_,
        target_name=draw(labels) if location else str(draw(areas)),
        created_at=ADDED,
        display_name=draw(labels) if type_ is TargetType.CITY else None,
        location_id=draw(st.integers(1, 99_999)) if location else None,
        poll_rate_minutes=draw(rates),
        kinds=draw(kinds),
    )


def shape(target: Target) -> tuple[object, ...]:
    place = str(target.area) if target.area else target.location_id
    label = target.label if target.type is TargetType.CITY else None
    return target.type, place, label, target.poll_rate_minutes, target.kinds


@settings(deadline=None)
@given(
    targets=st.lists(any_target(), max_size=8),
    rate=st.integers(1, MAX_POLL_RATE_MINUTES),
    chosen=ANY_KINDS,
)
def test_any_setup_is_planned_again_as_it_was(targets: list[Target], rate: int, chosen: Kinds) -> None:
    pinballmap = FakePinballMap()
    pinballmap.locations = [Location(each.location_id, each.target_name) for each in targets if each.location_id]
    lookup = Lookup(pinballmap, FakeGeocoder(), ManualClock())
    actions = asyncio.run(plan(lookup, export(Channel(1, 1, rate, chosen), targets), [])).actions

    restored = [
        Target(
            action.position,
            1,
            action.new.type,
            action.new.target_name,
            ADDED,
            action.new.display_name,
            action.new.location_id,
        )
        for action in actions
        if isinstance(action, AddTarget)
    ]
    own_rates = {action.position: action.minutes for action in actions if isinstance(action, SetPollRate)}
    own_kinds = {action.position: action.kinds for action in actions if isinstance(action, SetKinds)}
    assert (own_rates.pop(None), own_kinds.pop(None)) == (rate, chosen)
    assert [(*shape(each)[:3], own_rates.get(each.id), own_kinds.get(each.id)) for each in restored] == [
        shape(each) for each in targets
    ]


async def test_a_text_of_thousands_of_names_asks_for_a_hundred_and_says_so(
    service: TargetService, pinballmap: FakePinballMap
) -> None:
    imported = await service.plan_import(HERE, "\n".join(f"!add location Bar {n}" for n in range(1, 10_001)))
    assert len(pinballmap.asked) == MAX_LOOKUPS
    assert imported.steps[-1].problem == "I only look up 100 names per import. Import this line separately."


async def test_a_failing_geocoder_is_asked_once(service: TargetService, geocoder: FakeGeocoder) -> None:
    geocoder.failure = GeocodingError("The geocoder does not answer.")
    imported = await service.plan_import(HERE, "!add city Portland\n!add city Salem\n!add coordinates 45 10")
    assert [step.problem for step in imported.steps] == ["The geocoder does not answer."] * 2 + [None]
    assert geocoder.asked == ["Portland"]


@given(st.text(max_size=3000))
def test_a_sentence_about_any_words_stays_short_and_keeps_its_cure(word: str) -> None:
    error = UserError("“{}” isn’t a radius. Write 25.", word)
    assert str(error).endswith("” isn’t a radius. Write 25.")
    assert len(str(error)) < 150
