"""`/add` in all its forms."""

import pytest
from simcord import OptionError

from dispinmap.geocoding.models import Place
from dispinmap.pinballmap.errors import Unavailable
from dispinmap.pinballmap.models import Location, LocationHint, Submission
from tests.commands.conftest import NOW, World

GROUND_KONTROL = Location(874, "Ground Kontrol Classic Arcade", "Portland", "OR", "US", machine_count=60)
WEDGEHEAD = Location(9, "Wedgehead", "Portland", "OR", "US")
PORTLAND = Place("Portland", 45.523, -122.676, "Oregon", "United States", "US", 652503)
PORTLAND_MAINE = Place("Portland", 43.661, -70.256, "Maine", "United States", "US", 66881)


async def test_a_location_with_an_exact_name_is_added_and_confirmed(world: World) -> None:
    world.targets.locations = (GROUND_KONTROL,)
    world.targets.latest = (Submission(1, "new_lmx", NOW, 874, "GK", machine_name="Godzilla (Stern, 2021)"),)
    answer = await world.slash("add location", name="Ground Kontrol Classic Arcade")
    assert answer.content == (
        "✓ Now watching **Ground Kontrol Classic Arcade**.\n"
        "I’ll post machines added and removed here, at most once an hour.\n"
        "The latest submissions there:\n"
        f"+ **Godzilla (Stern, 2021)** · added <t:{int(NOW.timestamp())}:R>"
    )
    assert world.targets.asked[0] == "Ground Kontrol Classic Arcade"


@pytest.mark.parametrize("written", ["Ground Kontrol", '"Ground Kontrol"', "“Ground Kontrol”"])
async def test_a_message_may_quote_a_name_or_not(world: World, written: str) -> None:
    world.targets.locations = (GROUND_KONTROL,)
    answer = await world.say(f"!add location {written}")
    assert "Now watching **Ground Kontrol Classic Arcade**" in answer.content
    assert world.targets.asked[0] == "Ground Kontrol"


async def test_a_mention_works_as_prefix(world: World) -> None:
    world.targets.locations = (GROUND_KONTROL,)
    assert "Now watching" in (await world.say(f"{world.mention} add location 874")).content


async def test_a_target_that_is_there_already_is_said_to_be(world: World) -> None:
    world.targets.locations = (GROUND_KONTROL,)
    await world.slash("add location", name="874")
    answer = await world.slash("add location", name="874")
    assert "already watches **Ground Kontrol" in answer.content


async def test_no_location_says_what_to_try(world: World) -> None:
    answer = await world.slash("add location", name="Nowhere @everyone")
    assert answer.content.startswith("I couldn’t find “Nowhere @\u200beveryone” on Pinball Map. Try fewer words")
    assert world.expect_errors()


async def test_a_target_is_added_even_if_its_latest_cannot_be_fetched(world: World) -> None:
    world.targets.locations = (GROUND_KONTROL,)
    world.targets.latest_problem = "Pinball Map does not answer."
    answer = await world.slash("add location", name="874")
    assert "Now watching" in answer.content
    assert "I couldn’t get the latest submissions there: Pinball Map does not answer." in answer.content


async def test_several_locations_become_a_menu_and_the_choice_is_added(world: World) -> None:
    world.targets.locations = (GROUND_KONTROL, WEDGEHEAD)
    answer = await world.slash("add location", name="portland")
    menu = answer.components[0]["components"][0]
    assert [(one["label"], one["description"]) for one in menu["options"]] == [
        ("Ground Kontrol Classic Arcade", "Portland, OR, US · 60 machines"),
        ("Wedgehead", "Portland, OR, US"),
    ]
    await world.admin.select(answer.message, ["1"])
    assert world.channel.last_message is not None
    assert "Now watching **Wedgehead**" in world.channel.last_message.content
    assert world.channel.last_message.components == []


async def test_a_menu_holds_at_most_25_and_says_so(world: World) -> None:
    world.targets.locations = tuple(Location(number, f"Bar {number}") for number in range(40))
    answer = await world.slash("add location", name="bar")
    assert len(answer.components[0]["components"][0]["options"]) == 25
    assert answer.content.startswith("I found 40 matches. Here are the first 25.")


async def test_a_location_with_an_invisible_name_can_be_chosen(world: World) -> None:
    world.targets.locations = (Location(5, "\u200b\u202e"), Location(6, "  "))
    answer = await world.slash("add location", name="odd")
    assert [one["label"] for one in answer.components[0]["components"][0]["options"]] == ["Location 5", "Location 6"]


async def test_only_the_asker_may_use_a_menu(world: World) -> None:
    world.targets.locations = (GROUND_KONTROL, WEDGEHEAD)
    answer = await world.slash("add location", name="portland")
    refused = await world.member.select(answer.message, ["1"])
    assert refused.response is not None
    assert refused.response.ephemeral
    assert "Only the person who gave the command" in refused.response.content
    assert await world.targets.targets(1) == ()


async def test_an_unused_menu_is_disabled_and_says_so(world: World) -> None:
    world.targets.locations = (GROUND_KONTROL, WEDGEHEAD)
    answer = await world.slash("add location", name="portland")
    await world.env.advance_time(121)
    assert "You didn’t choose in time" in answer.content
    assert answer.components[0]["components"][0]["disabled"]


async def test_a_choice_that_fails_says_why_and_takes_the_menu_away(world: World) -> None:
    world.targets.locations = (GROUND_KONTROL, WEDGEHEAD)
    answer = await world.slash("add location", name="portland")
    world.targets.failure = Unavailable("Pinball Map does not answer: try again in a minute.")
    result = await world.admin.select(answer.message, ["1"])
    assert [one.content for one in result.followups] == ["Pinball Map does not answer: try again in a minute."]
    assert answer.components == []
    assert world.expect_errors()


async def test_suggestions_carry_the_id_so_that_they_survive_being_picked(world: World) -> None:
    world.targets.hints = (
        LocationHint(874, "Ground Kontrol", "Ground Kontrol (Portland, OR)"),
        LocationHint(5, "L", "L" * 150),
    )
    choices = await world.admin.autocomplete(world.channel, "add location", "name", "ground")
    assert choices[0] == {"name": "Ground Kontrol (Portland, OR)", "value": "874"}
    assert len(choices[1]["name"]) == 100


async def test_suggestions_that_fail_are_empty_and_reported(world: World) -> None:
    world.targets.failure = RuntimeError("broken")
    assert await world.admin.autocomplete(world.channel, "add location", "name", "ground") == []
    assert len(world.failures) == 1


async def test_a_city_is_added_with_a_radius_in_kilometres(world: World) -> None:
    world.targets.places = (PORTLAND,)
    answer = await world.slash("add city", name="Portland, OR", radius="40 km")
    assert "Now watching **Portland, Oregon, United States** (24.9 mi / 40 km around)" in answer.content


@pytest.mark.parametrize(
    ("line", "name", "shown"),
    [
        ("Portland, OR 25", "Portland, OR", "25 mi"),
        ("Portland OR 40 km", "Portland OR", "24.9 mi"),
        ('"Portland, OR" 10 mi', "Portland, OR", "10 mi"),
        ("Coeur d'Alene", "Coeur d'Alene", "25 mi"),
    ],
)
async def test_a_city_in_a_message_may_end_with_its_radius(world: World, line: str, name: str, shown: str) -> None:
    world.targets.places = (PORTLAND,)
    answer = await world.say(f"!add city {line}")
    assert world.targets.asked[0] == name
    assert f"({shown} / " in answer.content


async def test_an_ambiguous_city_becomes_a_menu_with_region_and_country(world: World) -> None:
    world.targets.places = (PORTLAND, PORTLAND_MAINE)
    answer = await world.slash("add city", name="Portland")
    labels = [one["label"] for one in answer.components[0]["components"][0]["options"]]
    assert labels == ["Portland, Oregon, United States", "Portland, Maine, United States"]
    await world.admin.select(answer.message, ["1"])
    assert "Maine" in answer.content


@pytest.mark.parametrize(
    ("radius", "sentence"),
    [
        ("far", "“far” isn’t a radius. Write it as 25 (miles) or 40 km."),
        ("0", "A radius of 0 is out of range. Choose 1 to 100 miles"),
        ("170 km", "A radius of 170 km is out of range. Choose 1 to 100 miles (up to 160 km)"),
    ],
)
async def test_a_radius_that_cannot_be(world: World, radius: str, sentence: str) -> None:
    answer = await world.slash("add city", name="Portland", radius=radius)
    assert sentence in answer.content
    assert world.expect_errors()


async def test_no_city_says_what_to_try(world: World) -> None:
    answer = await world.slash("add city", name="Atlantis")
    assert "I couldn’t find a city called “Atlantis”. Check the spelling" in answer.content
    assert world.expect_errors()


async def test_a_point_is_added(world: World) -> None:
    answer = await world.slash("add coordinates", latitude=45.52, longitude=-122.68, radius="5")
    assert "Now watching **45.52, -122.68** (5 mi / 8 km around)" in answer.content


async def test_a_copied_pair_with_its_comma_is_read_in_a_message(world: World) -> None:
    assert "Now watching **45.52, -122.68** (10 mi" in (await world.say("!add coordinates 45.52, -122.68 10")).content


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("!add coordinates north -122.68", "“north” isn’t a coordinate. Write decimal degrees"),
        ("!add coordinates 91 0", "The latitude 91 is not between -90 and 90"),
        ("!add coordinates 45.52", "“longitude” is missing."),
        ("!add location", "“name” is missing.\nWrite it like this: `/add location name:`"),
        ("!add", "What should I add? Try `add location Ground Kontrol`"),
        ("!add somewhere", "What should I add?"),
    ],
)
async def test_what_is_missing_or_unreadable_is_named(world: World, line: str, sentence: str) -> None:
    assert sentence in (await world.say(line)).content
    assert world.expect_errors()
    assert world.failures == []


async def test_a_slash_command_takes_numbers_only(world: World) -> None:
    with pytest.raises(OptionError):
        await world.admin.slash(world.channel, "add coordinates", latitude="north", longitude=1.0)
