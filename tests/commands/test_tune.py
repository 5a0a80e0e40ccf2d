"""`/remove`, `/poll_rate`, `/notifications`, and who may use them."""

import pytest
import simcord

from dispinmap.targets.models import Target, TargetType
from tests.commands.conftest import NOW, World

GROUND_KONTROL = Target(1, 1, TargetType.LOCATION, "Ground Kontrol", NOW, location_id=874)
PORTLAND = Target(2, 1, TargetType.CITY, "45.523,-122.676,10", NOW, "Portland, Oregon")


@pytest.fixture
def world(world: World) -> World:
    world.targets.watch(GROUND_KONTROL, PORTLAND)
    return world


async def test_a_target_is_removed_by_its_index(world: World) -> None:
    answer = await world.slash("remove", target="1")
    assert answer.content == "✓ No longer watching **Ground Kontrol**."


@pytest.mark.parametrize("line", ["!remove Ground Kontrol", '!rm "Ground Kontrol"', "! RM 1"])
async def test_a_target_is_removed_by_message(world: World, line: str) -> None:
    assert "No longer watching **Ground Kontrol**" in (await world.say(line)).content


async def test_removing_what_is_not_there_says_so(world: World) -> None:
    answer = await world.slash("remove", target="7")
    assert answer.content == "No target here is called “7”: look at the list."
    assert world.expect_errors()
    assert world.failures == []


@pytest.mark.parametrize("command", ["remove", "poll_rate", "notifications"])
async def test_targets_are_suggested_by_name_and_index(world: World, command: str) -> None:
    choices = await world.admin.autocomplete(world.channel, command, "target", "portl")
    assert choices == [{"name": "2: Portland, Oregon", "value": "target:2"}]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"minutes": "15"},
            "✓ I’ll post here at most once every 15 minutes, unless a target has its own setting.",
        ),
        ({"minutes": "default"}, "✓ I’ll post here at most once an hour, unless"),
        (
            {"minutes": "1", "target": "2"},
            "✓ For **Portland, Oregon** (10 mi / 16.1 km around), I’ll post at most once a minute.",
        ),
        ({"minutes": "default", "target": "1"}, "✓ **Ground Kontrol** now follows the channel’s poll rate."),
    ],
)
async def test_a_poll_rate_is_set(world: World, given: dict[str, str], sentence: str) -> None:
    assert sentence in (await world.slash("poll_rate", **given)).content


@pytest.mark.parametrize(
    ("minutes", "sentence"),
    [
        ("soon", "“soon” isn’t a poll rate. Write a whole number of minutes, or “default”."),
        ("0", "A poll rate of 0 minutes is out of range. Choose 1 to 10080"),
        ("1.5", "“1.5” isn’t a poll rate"),
    ],
)
async def test_a_poll_rate_that_cannot_be(world: World, minutes: str, sentence: str) -> None:
    assert sentence in (await world.slash("poll_rate", minutes=minutes)).content
    assert world.expect_errors()


async def test_the_original_bots_message_form_sets_one_targets_poll_rate(world: World) -> None:
    assert (
        "For **Ground Kontrol**, I’ll post at most once every 30 minutes"
        in (await world.say("!poll_rate 30 1")).content
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kind": "all"}, "✓ I’ll post every kind of change here, unless a target has its own setting."),
        ({"kind": "machines, comments"}, "✓ I’ll post machines added and removed, and comments here, unless"),
        ({"kind": "scores and comments"}, "✓ I’ll post comments and high scores here, unless"),
        (
            {"kind": "places,scores,confirmations"},
            "✓ I’ll post high scores, confirmed line-ups, and places opened and closed here, unless",
        ),
        ({"kind": "default"}, "✓ I’ll post machines added and removed here, unless"),
        ({"kind": "comments", "target": "1"}, "✓ For **Ground Kontrol**, I’ll post comments here."),
        ({"kind": "default", "target": "1"}, "✓ **Ground Kontrol** now follows the channel’s kinds."),
    ],
)
async def test_kinds_are_set(world: World, given: dict[str, str], sentence: str) -> None:
    assert sentence in (await world.slash("notifications", **given)).content


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("!notifications machines scores", "✓ I’ll post machines added and removed, and high scores here, unless"),
        ("!notifications comments 2", "✓ For **Portland, Oregon** (10 mi / 16.1 km around), I’ll post comments here."),
        ("!notifications scores, comments Ground Kontrol", "✓ For **Ground Kontrol**, I’ll post comments and high"),
        ('!notifications machines and comments "Ground Kontrol"', "✓ For **Ground Kontrol**, I’ll post machines added"),
        ("!notifications default Ground Kontrol", "✓ **Ground Kontrol** now follows the channel’s kinds."),
    ],
)
async def test_kinds_are_set_by_message(world: World, line: str, sentence: str) -> None:
    assert sentence in (await world.say(line)).content


@pytest.mark.parametrize("line", ["!notifications everything", "!notifications machines, everything 1"])
async def test_an_unknown_kind_is_named_with_those_to_choose_from(world: World, line: str) -> None:
    assert (await world.say(line)).content == (
        "“everything” isn’t a kind of notification. Choose one or more of machines, comments, scores, confirmations, "
        "places, all, or write default."
    )
    assert world.expect_errors()


async def menu_of(answer: simcord.ResponseMessage) -> dict[str, bool]:
    """The menu's values, and whether each is selected."""
    (menu,) = answer.components[0]["components"]
    assert (menu.get("min_values", 1), menu["max_values"]) == (1, len(menu["options"]))
    return {option["value"]: option.get("default", False) for option in menu["options"]}


async def test_without_a_kind_a_menu_shows_the_channels_choice_and_takes_several(world: World) -> None:
    answer = await world.slash("notifications")
    assert answer.content == "What should I post in this channel?"
    options = await menu_of(answer)
    assert list(options) == ["machines", "comments", "scores", "confirmations", "places", "all", "default"]
    assert [value for value, selected in options.items() if selected] == ["machines"]
    await world.admin.select(answer.message, ["machines", "scores"])
    assert answer.content.startswith("✓ I’ll post machines added and removed, and high scores here")
    assert answer.components == []


async def test_the_menu_of_a_target_can_give_it_back_to_the_channel(world: World) -> None:
    await world.slash("notifications", kind="scores", target="1")
    answer = await world.slash("notifications", target="1")
    assert answer.content == "What should I post for **Ground Kontrol**?"
    assert [value for value, selected in (await menu_of(answer)).items() if selected] == ["scores"]
    await world.admin.select(answer.message, ["scores", "default"])
    assert answer.content == "✓ **Ground Kontrol** now follows the channel’s kinds."
    inherited = await menu_of(await world.slash("notifications", target="1"))
    assert [value for value, selected in inherited.items() if selected] == ["default"]


async def test_the_menu_also_comes_by_message(world: World) -> None:
    assert (await world.say("!notifications")).content == "What should I post in this channel?"


async def test_only_the_asker_may_use_the_menu_of_kinds(world: World) -> None:
    answer = await world.slash("notifications")
    refused = await world.member.select(answer.message, ["all"])
    assert refused.response is not None
    assert "Only the person who gave the command" in refused.response.content


async def test_kinds_are_suggested_while_typing(world: World) -> None:
    choices = await world.admin.autocomplete(world.channel, "notifications", "kind", "machines, sc")
    assert choices == [{"name": "machines, scores", "value": "machines, scores"}]


CHANGES = [
    "add location x",
    "add city x",
    "add coordinates 1 2",
    "remove 1",
    "poll_rate 5",
    "notifications all",
    "import x",
]


@pytest.mark.parametrize("line", CHANGES)
async def test_an_ordinary_member_changes_nothing(world: World, line: str) -> None:
    await world.member.send(world.channel, f"!{line}")
    answer = world.channel.last_message
    assert answer is not None
    assert answer.content.startswith("You need the Manage Channels permission")
    assert world.targets.asked == []
    assert world.expect_errors()


async def test_discord_hides_changing_commands_from_an_ordinary_member(world: World) -> None:
    assert set(world.member.available_commands(world.channel)) == {
        "check",
        "export",
        "help",
        "list",
        "monitor_health",
    }
    assert len(world.admin.available_commands(world.channel)) == 12


async def test_a_slash_command_that_a_server_gave_to_everybody_is_checked_again(world: World) -> None:
    command = world.bot.tree.get_command("remove")
    assert command is not None
    command.default_permissions = None
    await world.bot.tree.sync()
    result = await world.member.slash(world.channel, "remove", target="1")
    assert result.response is not None
    assert result.response.ephemeral
    assert "You need the Manage Channels permission" in result.response.content
    assert world.expect_errors()


class TestRelaxed:
    @pytest.fixture
    def options(self) -> dict[str, object]:
        return {"manage_channels_required": False}

    async def test_an_operator_can_let_everybody_change_things(self, world: World) -> None:
        result = await world.member.slash(world.channel, "remove", target="1")
        assert result.response is not None
        assert "No longer watching" in result.response.content
