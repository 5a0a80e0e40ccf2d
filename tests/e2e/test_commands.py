"""Every command of the table, asked of the real bot and answered in a channel."""

import re

import pytest

from dispinmap.discordbot.commands.check import COOLDOWN_SECONDS
from dispinmap_sandbox.discord.models import EPHEMERAL, Message, Upload
from dispinmap_sandbox.errors import SandboxError
from tests.fakes.stage import Stage, parts, shown, text_of
from tests.fakes.values import GROUND_KONTROL

GROUND_KONTROL_NAME = "Ground Kontrol Classic Arcade"
ICE_BOX = "https://pinballmap.com/map?by_location_id=9485"
MESSAGE_LIMIT = 2000
LEGACY_EXPORT = """```
!add location 874
!add coordinates 45.5 -122.6 10
!poll_rate 30 1
!notifications all
```"""


async def _ask(stage: Stage, name: str, /, **options: object) -> str:
    """What the answer to a slash command says, which no answer may do at more than Discord's length."""
    answer = await stage.command(name, **options)
    assert 0 < len(text_of(answer)) <= MESSAGE_LIMIT
    return text_of(answer)


async def _say(stage: Stage, text: str, user_id: int | None = None) -> str:
    """What the bot answers to a message."""
    server = stage.services.discord
    said = await server.say(user_id or stage.admin_id, stage.channel_id, text)
    answer = await server.wait_for_message(
        stage.channel_id, lambda message: message.id > said.id and message.author.bot
    )
    return text_of(answer)


async def _suggestions(stage: Stage, name: str, parameter: str, text: str) -> dict[str, object]:
    server = stage.services.discord
    found = await server.autocomplete(stage.admin_id, stage.channel_id, name, {parameter: text}, parameter)
    return {choice.name: choice.value for choice in found}


async def _turned(stage: Stage, message: Message, text: str) -> str:
    """The message once it says this: a press puts the controls away before the work is done."""
    changed = await stage.services.discord.wait_for_message(
        stage.channel_id, lambda each: each.id == message.id and text in each.content
    )
    assert len(changed.content) <= MESSAGE_LIMIT
    return changed.content


async def _apply(stage: Stage, plan: Message) -> None:
    await _turned(stage, await stage.click(plan, "Apply"), "✓ Imported ")
    assert parts(plan) == []


def _options(message: Message) -> list[str]:
    """The menu's options, as a person reads them."""
    (menu,) = (part for row in message.components for part in row["components"])
    return [f"{option['label']} | {option['description']}" for option in menu["options"]]


def _names(table: str) -> list[str]:
    """The names in a page of `/list`."""
    return re.findall(r"^\d+ +(.+?)  ", table, re.MULTILINE)


async def test_a_location_is_added_by_id_link_name_or_choice(stage: Stage) -> None:
    assert f"Now watching **{GROUND_KONTROL_NAME}**" in await _ask(stage, "add location", name="Ground Kontrol")
    assert "already watches" in await _ask(stage, "add location", name=str(GROUND_KONTROL))
    assert "Now watching **The Ice Box**" in await _ask(stage, "add location", name=ICE_BOX)
    assert "Now watching **Scrappleland**" in await _ask(stage, "add location", name='"scrappleland"')
    menu = await stage.command("add location", name="bar")
    assert _options(menu) == [
        "Barcade Brooklyn | Brooklyn, NY, US · 12 machines",
        "Barcade | New York, NY, US · 7 machines",
        "Jackbar | Brooklyn, NY, US · 5 machines",
    ]
    await _turned(stage, await stage.choose(menu, "2"), "Now watching **Jackbar**")
    assert parts(menu) == []
    assert "I couldn’t find “zzz” on Pinball Map" in await _ask(stage, "add location", name="zzz")
    assert "doesn’t name a location" in await _ask(stage, "add location", name="https://pinballmap.com/privacy")
    assert _names(await _ask(stage, "list")) == [GROUND_KONTROL_NAME, "The Ice Box", "Scrappleland", "Jackbar"]


async def test_names_are_suggested_while_someone_types(stage: Stage) -> None:
    assert await _suggestions(stage, "add location", "name", "gr") == {}
    found = await _suggestions(stage, "add location", "name", "ground")
    assert found == {f"{GROUND_KONTROL_NAME} (Portland, OR)": str(GROUND_KONTROL)}
    await _ask(stage, "add location", name=str(next(iter(found.values()))))
    await _ask(stage, "add city", name="München")
    for command in ("remove", "poll_rate", "notifications"):
        assert list(await _suggestions(stage, command, "target", "kont")) == [f"1: {GROUND_KONTROL_NAME}"]
        assert len(await _suggestions(stage, command, "target", "")) == 2
    assert set((await _suggestions(stage, "help", "command", "add")).values()) == {
        "add city",
        "add coordinates",
        "add location",
    }


async def test_a_city_in_any_country_is_added_with_any_radius(stage: Stage) -> None:
    for written, label in (
        ("Portland, OR", "Portland, Oregon, United States"),
        ("Coeur d'Alene", "Coeur d'Alene, Idaho, United States"),
        ("München", "Munich, Bavaria, Germany"),
        ("Birmingham, UK", "Birmingham, England, United Kingdom"),
    ):
        assert f"Now watching **{label}** (25 mi / 40.2 km around)" in await _ask(stage, "add city", name=written)
    assert "(24.9 mi / 40 km around)" in await _ask(stage, "add city", name="Portland, OR", radius="40 km")
    assert "already watches" in await _ask(stage, "add city", name="Portland, OR", radius="40 km")
    menu = await stage.command("add city", name="Springfield", radius="10")
    assert "Springfield, Oregon, United States" in _options(menu)[3]
    chosen = await stage.choose(menu, "3")
    await _turned(stage, chosen, "Now watching **Springfield, Oregon, United States** (10 mi / 16.1 km around)")
    assert "I couldn’t find a city called “Atlantis”" in await _ask(stage, "add city", name="Atlantis")
    assert "isn’t a radius. Write it as 25 (miles) or 40 km" in await _ask(
        stage, "add city", name="Paris", radius="wide"
    )
    for radius in ("0", "101", "400 km"):
        assert "Choose 1 to 100 miles" in await _ask(stage, "add city", name="Paris", radius=radius)
    assert len(_names(await _ask(stage, "list"))) == 5


async def test_a_point_keeps_its_place_and_takes_a_new_radius(stage: Stage) -> None:
    point = {"latitude": 45.5152, "longitude": -122.6784}
    added = await _ask(stage, "add coordinates", **point, radius="5")
    assert "Now watching **45.5152, -122.6784** (5 mi / 8 km around)" in added
    assert GROUND_KONTROL_NAME in added
    assert "Radius changed" in await _ask(stage, "add coordinates", **point, radius="16 km")
    assert "between -90 and 90" in await _ask(stage, "add coordinates", latitude=95, longitude=0)
    assert "between -180 and 180" in await _ask(stage, "add coordinates", latitude=0, longitude=181)
    assert "45.5152, -122.6784 (9.9 mi)" in await _ask(stage, "list")


async def test_a_long_list_is_read_page_by_page_and_shortened_by_number_or_name(stage: Stage) -> None:
    assert "doesn’t watch anything yet" in await _ask(stage, "list")
    lines = "\n".join(f"/add coordinates latitude:{n} longitude:{n} radius:100" for n in range(1, 26))
    plan = await stage.command("import", text=lines)
    assert "25 of 25 lines" in plan.content
    await _apply(stage, plan)
    page = await stage.command("list")
    for label, last in (("Next (1 of 3)", "20, 20"), ("Next (2 of 3)", "25, 25"), ("Previous", "20, 20")):
        shows = await _turned(stage, await stage.click(page, label), f"{last} (100 mi)")
        assert _names(shows)[-1].startswith(last)
    assert "No longer watching **25, 25** (100 mi / 160.9 km around)" in await _ask(stage, "remove", target="25")
    assert "**7, 7**" in await _ask(stage, "remove", target='"7,7"')
    assert "**1, 1**" in await _say(stage, f"{stage.services.discord.state.bot.mention} rm 1")
    assert "There is no target 77. This channel watches 22 targets" in await _ask(stage, "remove", target="77")
    assert "No target here is called “nowhere”" in await _ask(stage, "remove", target="nowhere")


async def test_check_posts_what_is_new_and_otherwise_shows_what_is_known(stage: Stage) -> None:
    assert "doesn’t watch anything yet" in await _ask(stage, "check")
    await _ask(stage, "add location", name=str(GROUND_KONTROL))
    stage.pass_time(COOLDOWN_SECONDS)
    known = await _ask(stage, "check")
    assert known.startswith("Nothing new since the last check.\nThe latest that I’ve already shown here:")
    assert "Try again in" in await _ask(stage, "check")
    row = stage.services.world.remove_machine(GROUND_KONTROL, 641)
    new = stage.services.world.add_machine(GROUND_KONTROL, 1067)
    stage.pass_time(COOLDOWN_SECONDS)
    assert "1 new submission. I’ll post it here now." in await _ask(stage, "check")
    assert shown(await stage.card(new.id)) == [new.id]
    stage.pass_time()
    assert shown(await stage.card(row.id)) == [row.id]


async def test_rates_and_kinds_are_set_for_the_channel_and_for_one_target(stage: Stage) -> None:
    await _ask(stage, "add location", name=str(GROUND_KONTROL))
    await _ask(stage, "add location", name=ICE_BOX)
    assert "at most once every 15 minutes, unless" in await _ask(stage, "poll_rate", minutes="15")
    assert "I’ll post at most once a minute" in await _ask(stage, "poll_rate", minutes="1", target="ice box")
    assert "I’ll post every kind of change here" in await _ask(stage, "notifications", kind="all")
    assert "I’ll post comments here" in await _ask(stage, "notifications", kind="comments", target="1")
    listed = await _ask(stage, "list")
    assert re.search(r"1 +Ground Kontrol Classic Arcade +15 min +comments\*", listed)
    assert re.search(r"2 +The Ice Box +1 min\* +all\n", listed)
    assert "follows the channel’s poll rate" in await _ask(stage, "poll_rate", minutes="default", target="2")
    assert "follows the channel’s kinds" in await _ask(stage, "notifications", kind="default", target="1")
    assert "*" not in await _ask(stage, "list")
    assert "at most once an hour" in await _ask(stage, "poll_rate", minutes="default")
    for minutes in ("0", "10081", "often"):
        assert "poll rate" in await _ask(stage, "poll_rate", minutes=minutes)


async def test_a_set_up_moves_to_another_channel_and_is_the_same_there(stage: Stage) -> None:
    await _ask(stage, "add location", name=str(GROUND_KONTROL))
    await _ask(stage, "add city", name="Portland, OR", radius="40 km")
    await _ask(stage, "add coordinates", latitude=40.73, longitude=-73.95, radius="3")
    await _ask(stage, "poll_rate", minutes="5", target="2")
    await _ask(stage, "notifications", kind="all")
    exported, listed = await _ask(stage, "export"), await _ask(stage, "list")
    stage.channel_id = stage.services.seed.news.id
    assert "doesn’t watch anything yet" in await _ask(stage, "export")
    plan = await stage.command("import", text=exported.strip("`\n"))
    assert "doesn’t watch anything yet" in await _ask(stage, "list")
    await _apply(stage, plan)
    assert (await _ask(stage, "export"), _names(await _ask(stage, "list"))) == (exported, _names(listed))


async def test_the_original_bots_export_is_read_as_text_and_as_file(stage: Stage) -> None:
    file = Upload("export.txt", LEGACY_EXPORT.encode(), "text/plain")
    cancelled = await stage.click(await stage.command("import", file=file), "Cancel")
    assert cancelled.content == "Cancelled. Nothing changed."
    assert "doesn’t watch anything yet" in await _ask(stage, "list")
    plan = await stage.command("import", text=LEGACY_EXPORT.replace("\n", " "))
    assert "4 of 4 lines" in plan.content
    await _apply(stage, plan)
    listed = await _ask(stage, "list")
    assert _names(listed) == [GROUND_KONTROL_NAME, "45.5, -122.6 (10 mi)"]
    assert re.search(r"Arcade +30 min\* +all\n", listed)
    nothing = await stage.command("import", text="hello there")
    assert nothing.content.startswith("I can’t apply any of this:")
    assert "There’s nothing to import" in await _ask(stage, "import")


async def test_the_bot_tells_of_its_health_and_of_its_commands(stage: Stage) -> None:
    await _ready(stage)
    health = await _ask(stage, "monitor_health")
    for part in ("All is well", "Last good poll", "Newest submission", "0 due", "Errors", "revision", "Backup"):
        assert part in health
    overview = await _ask(stage, "help")
    for command in stage.services.discord.commands():
        assert f"/{command['name']}" in overview
    assert "`radius` (optional): Such as 25, 25 mi or 40 km" in await _ask(stage, "help", command="add city")
    assert "Did you mean `poll_rate`" in await _ask(stage, "help", command="pollrate")


async def test_an_ordinary_member_reads_and_changes_nothing(stage: Stage) -> None:
    visible = stage.services.discord.visible_commands(stage.member_id, stage.channel_id)
    assert {command["name"] for command in visible} == {"check", "export", "help", "list", "monitor_health"}
    mention = stage.services.discord.state.bot.mention
    refusal = "You need the Manage Channels permission"
    for line in (f"add location {GROUND_KONTROL}", "rm 1", "poll_rate 5", "notifications all"):
        assert refusal in await _say(stage, f"{mention} {line}", stage.member_id)
    with pytest.raises(SandboxError, match="no command /add"):
        await stage.command("add location", stage.member_id, name="Ground Kontrol")
    menu = await stage.command("add city", name="Springfield")
    stolen = await stage.services.discord.choose(stage.member_id, menu.id, _menu_id(menu), ["0"])
    answer = await stage.services.discord.answer(stolen)
    assert "Only the person who gave the command" in answer.content
    assert answer.flags & EPHEMERAL
    assert "doesn’t watch anything yet" in text_of(await stage.command("list", stage.member_id))


async def _ready(stage: Stage) -> None:
    """Return once the bot knows its servers, and has read the feed because something is watched."""
    await _ask(stage, "add location", name=str(GROUND_KONTROL))
    # The bot may have read the feed already. Or it saw that nothing was watched, and waits a minute.
    stage.pass_time(60)
    if not stage.services.pinballmap.requests["user_submissions.json"]:
        await stage.services.pinballmap.next_request("user_submissions.json")


def _menu_id(message: Message) -> str:
    return next(part["custom_id"] for part in parts(message) if part.get("options"))


async def test_text_commands_work_with_a_prefix_or_a_mention_and_quotes(empty_stage: Stage) -> None:
    await empty_stage.start_bot(command_prefix="!")
    mention = empty_stage.services.discord.state.bot.mention
    added = await _say(empty_stage, '!add location "Ground Kontrol"')
    assert f"Now watching **{GROUND_KONTROL_NAME}**" in added
    assert "(24.9 mi / 40 km around)" in await _say(empty_stage, '!add city "Birmingham, UK" 40 km')
    assert "(10 mi / 16.1 km around)" in await _say(empty_stage, f"{mention} add city Portland, OR 10")
    assert "(5 mi / 8 km around)" in await _say(empty_stage, f"{mention} add coordinates 40.73, -73.95 5")
    assert len(_names(await _say(empty_stage, "!list"))) == 4
    assert "I’ll post at most once every 5 minutes" in await _say(empty_stage, '!poll_rate 5 "Ground Kontrol"')
    assert "No longer watching" in await _say(empty_stage, '!rm "Ground Kontrol Classic Arcade"')
    assert "Did you mean `list`" in await _say(empty_stage, "!lst")
    assert "“name” is missing" in await _say(empty_stage, "!add location")
    assert "What should I add?" in await _say(empty_stage, f"{mention} add")
