"""`/list`, `/export`, `/check`, `/monitor_health`, `/help`."""

from dataclasses import replace
from datetime import timedelta

from dispinmap.discordbot.services import CheckResult
from dispinmap.health import BackupState, DrillState, QueueState
from dispinmap.pinballmap.models import Submission
from dispinmap.targets.models import Target, TargetType
from tests.commands.conftest import NOW, World
from tests.fakes.values import kinds_of

GROUND_KONTROL = Target(
    1, 1, TargetType.LOCATION, "Ground Kontrol", NOW, location_id=874, last_checked_at=NOW - timedelta(minutes=5)
)
TOKYO = Target(2, 1, TargetType.CITY, "35.689,139.692,10", NOW, "東京", poll_rate_minutes=15, kinds=kinds_of("all"))
LOST = Target(3, 1, TargetType.CITY, "somewhere", NOW)


def submissions(count: int) -> tuple[Submission, ...]:
    return tuple(Submission(n, "new_lmx", NOW, 874, "GK", machine_name=f"Machine {n}") for n in range(count))


async def test_the_list_is_an_aligned_table_in_any_script(world: World) -> None:
    world.targets.watch(GROUND_KONTROL, TOKYO)
    answer = await world.slash("list")
    assert answer.content == (
        "```\n"
        "#  Name            Every    Kinds\n"
        "1  Ground Kontrol  60 min   machines\n"
        "2  東京 (10 mi)    15 min*  all*\n"
        "\n"
        "* set for this target only; everything else follows the channel.\n"
        "```\n"
        f"I last read Pinball Map <t:{int(NOW.timestamp())}:R>."
    )


async def test_before_pinball_map_was_ever_read_the_list_says_so(world: World) -> None:
    world.targets.watch(GROUND_KONTROL)
    world.checks.read_at = None
    assert (await world.slash("list")).content.endswith("I haven’t read Pinball Map yet.")


async def test_a_name_that_is_written_from_right_to_left_leaves_the_columns_in_place(world: World) -> None:
    world.targets.watch(replace(GROUND_KONTROL, target_name="פינבול"))
    row = (await world.slash("list")).content.splitlines()[2]
    assert row == "1  \u2068פינבול\u2069  60 min  machines"


async def test_a_name_too_long_for_its_column_ends_with_an_ellipsis_and_keeps_its_radius(world: World) -> None:
    world.targets.watch(
        replace(TOKYO, target_name="45.52,-122.68,24.854848", display_name="Portland, Oregon, United States")
    )
    row = (await world.slash("list")).content.splitlines()[2]
    assert row == "1  Portland, Oregon, Uni… (24.9 mi)  15 min*  all*"


async def test_the_list_says_what_is_wrong_with_a_target(world: World) -> None:
    world.targets.watch(LOST)
    assert "⚠ 1: “somewhere” has no coordinates: remove it and add it again." in (await world.slash("list")).content


async def test_an_empty_list_says_how_to_start(world: World) -> None:
    assert (await world.slash("list")).content.startswith("This channel doesn’t watch anything yet. Start with")


async def test_a_long_list_is_paged_with_buttons(world: World) -> None:
    world.targets.watch(*(replace(GROUND_KONTROL, id=n, target_name=f"Bar {n}") for n in range(25)))
    answer = await world.slash("list")
    assert "10  Bar 9" in answer.content
    assert "11  Bar 10" not in answer.content
    await world.admin.click(answer.message, label="Next (1 of 3)")
    assert "11  Bar 10" in answer.content
    await world.admin.click(answer.message, label="Next (2 of 3)")
    assert "25  Bar 24" in answer.content
    await world.admin.click(answer.message, label="Previous")
    assert "11  Bar 10" in answer.content


async def test_a_list_is_disabled_even_after_its_first_token_expired(world: World) -> None:
    world.targets.watch(*(replace(GROUND_KONTROL, id=n, target_name=f"Bar {n}") for n in range(25)))
    answer = await world.slash("list")
    for label in ("Next (1 of 3)", "Previous") * 2:
        await world.env.advance_time(250)
        await world.admin.click(answer.message, label=label)
    await world.env.advance_time(301)
    assert all(button["disabled"] for button in answer.components[0]["components"])


async def test_the_buttons_of_a_list_are_disabled_after_a_while(world: World) -> None:
    world.targets.watch(*(replace(GROUND_KONTROL, id=n, target_name=f"Bar {n}") for n in range(25)))
    answer = await world.slash("list")
    await world.env.advance_time(301)
    assert all(button["disabled"] for button in answer.components[0]["components"])
    assert "10  Bar 9" in answer.content


async def test_a_deleted_list_times_out_without_a_failure(world: World) -> None:
    world.targets.watch(*(replace(GROUND_KONTROL, id=n, target_name=f"Bar {n}") for n in range(25)))
    answer = await world.say("!list")
    await answer.delete()
    await world.env.advance_time(301)
    assert world.failures == []


async def test_a_short_export_is_text(world: World) -> None:
    world.targets.exported = "/add location name:874"
    assert (await world.slash("export")).content == "```\n/add location name:874\n```"


async def test_a_long_export_is_a_file(world: World) -> None:
    world.targets.exported = "/add location name:874\n" * 200
    answer = await world.slash("export")
    assert [file.filename for file in answer.attachments] == ["dispinmap-export.txt"]
    assert await answer.attachments[0].read() == world.targets.exported.encode()


async def test_nothing_to_export_is_said(world: World) -> None:
    assert (await world.slash("export")).content.startswith("There’s nothing to export")


async def test_a_check_says_how_much_is_new(world: World) -> None:
    world.targets.watch(GROUND_KONTROL)
    world.checks.result = CheckResult(3)
    answer = await world.slash("check")
    assert answer.content == "✓ 3 new submissions. I’ll post them here now."
    assert world.checks.asked == [world.channel.id]


async def test_a_check_tells_both_what_is_new_and_what_went_wrong(world: World) -> None:
    world.targets.watch(GROUND_KONTROL)
    world.checks.result = CheckResult(1, "Pinball Map does not answer: try again in a minute.")
    assert (await world.slash("check")).content == (
        "✓ 1 new submission. I’ll post it here now.\n⚠ Pinball Map does not answer: try again in a minute."
    )


async def test_a_check_without_news_shows_the_latest_known(world: World) -> None:
    world.targets.watch(GROUND_KONTROL)
    world.targets.latest = submissions(7)
    lines = (await world.slash("check")).content.splitlines()
    assert lines[:2] == ["Nothing new since the last check.", "The latest that I’ve already shown here:"]
    assert len(lines) == 7


async def test_a_check_that_pinball_map_does_not_answer_says_so(world: World) -> None:
    world.targets.watch(GROUND_KONTROL)
    world.checks.result = CheckResult(0, "Pinball Map does not answer: try again in a minute.")
    answer = await world.slash("check")
    assert answer.content.startswith("⚠ Pinball Map does not answer: try again in a minute.\nI haven’t posted")


async def test_a_check_in_a_channel_without_targets_makes_no_request(world: World) -> None:
    assert "doesn’t watch anything yet" in (await world.slash("check")).content
    assert world.checks.asked == []


async def test_a_second_check_at_once_has_to_wait(world: World) -> None:
    world.targets.watch(GROUND_KONTROL)
    await world.slash("check")
    answer = await world.slash("check")
    assert answer.content == "Just checked. Try again in 10 seconds."
    assert world.expect_errors()
    world.clock.advance(10)
    assert "Nothing new" in (await world.slash("check")).content


async def test_health_is_one_embed(world: World) -> None:
    [embed] = (await world.slash("monitor_health")).embeds
    assert embed.title == "All is well"
    assert [field.name for field in embed.fields] == [
        "Last good poll",
        "Newest submission",
        "Queue",
        "Watched",
        "Pinball Map",
        "Errors",
        "Database",
        "Backup",
        "Restore drill",
    ]


async def test_health_counts_requests_in_plain_words(world: World) -> None:
    world.checks.report = replace(world.checks.report, requests={"ok": 12, "not_modified": 3})
    [embed] = (await world.slash("monitor_health")).embeds
    assert next(field.value for field in embed.fields if field.name == "Pinball Map") == "3 not modified, 12 ok"


async def test_health_puts_the_trouble_first(world: World) -> None:
    world.checks.report = replace(
        world.checks.report,
        gateway_connected=False,
        last_poll_problem="Pinball Map does not answer.",
        loops={"feed": "it broke " * 500},
        queue=QueueState(parked_channels=2, due=1, oldest_due_at=NOW),
    )
    [embed] = (await world.slash("monitor_health")).embeds
    assert embed.title == "Something needs attention"
    assert embed.description is not None
    assert embed.description.startswith("⚠ Discord's gateway is not connected.\n⚠ Pinball Map does not answer.")
    assert len(embed) <= 6000


BACKUP = BackupState(
    replica="gcs://pinball/db",
    litestream="0.3.13",
    problem=None,
    restarts=0,
    caught_up_at=NOW,
    drill_every=timedelta(days=1),
    last_drill=DrillState(NOW, 0.24, NOW, None),
    last_good_drill_at=NOW,
    restored_in_seconds=None,
)


async def _shown(world: World, backup: BackupState) -> dict[str | None, str | None]:
    world.checks.report = replace(world.checks.report, backup=backup)
    [embed] = (await world.slash("monitor_health")).embeds
    return {field.name: field.value for field in embed.fields}


async def test_health_says_that_the_backup_is_complete_and_was_tried(world: World) -> None:
    shown = await _shown(world, BACKUP)
    at = f"<t:{int(NOW.timestamp())}:R>"
    assert shown["Backup"] == f"Litestream 0.3.13, complete {at}"
    assert shown["Restore drill"] == f"good {at}, restored in 0.2 seconds"


async def test_health_says_that_the_backup_fails_and_leaves_the_details_to_the_operator(world: World) -> None:
    failed = DrillState(NOW, None, None, "The newest heartbeat is missing.")
    shown = await _shown(
        world, replace(BACKUP, problem="Litestream ended.", last_drill=failed, last_good_drill_at=None)
    )
    assert (shown["Backup"] or "").endswith(". Nothing is replicated right now: see the log")
    assert (shown["Restore drill"] or "").endswith("last good never: see the log")
    assert "pinball/db" not in str(shown)


async def test_health_does_not_wait_for_a_replica_that_is_young(world: World) -> None:
    shown = await _shown(world, replace(BACKUP, caught_up_at=None, last_drill=None, last_good_drill_at=None))
    assert shown["Backup"] == "Litestream 0.3.13, not complete yet"
    assert shown["Restore drill"] == "none yet"


async def test_the_longest_health_still_fits_into_one_message(world: World) -> None:
    long = "word " * 500
    world.checks.report = replace(
        world.checks.report,
        last_poll_problem=long,
        requests={f"{long}{number}": 1 for number in range(9)},
        database_revision=long,
        backup=replace(BACKUP, replica=long, problem=long, last_drill=DrillState(NOW, None, None, long)),
    )
    [embed] = (await world.slash("monitor_health")).embeds
    assert len(embed) <= 6000


async def test_help_lists_every_command_with_its_parameters(world: World) -> None:
    text = (await world.slash("help")).content
    for line in ("/add location name:", "/add city name: [radius:]", "/poll_rate minutes: [target:]", "/import"):
        assert f"`{line}" in text
    assert "`!list`" in text


async def test_help_for_one_command_explains_its_parameters(world: World) -> None:
    text = (await world.slash("help", command="notifications")).content
    assert text.splitlines()[0] == "`/notifications [kind:] [target:]`"
    assert "- `kind` (optional): One or more kinds, such as “machines, scores”; leave it out for a menu" in text


async def test_help_for_a_group_explains_all_of_it(world: World) -> None:
    text = (await world.say("!help add")).content
    assert "`/add city" in text
    assert "`/add location" in text


async def test_help_for_an_unknown_command_suggests_one(world: World) -> None:
    answer = await world.slash("help", command="lst")
    assert answer.content == "There’s no command “lst”. Did you mean `list`? `help` lists all commands."
    assert world.expect_errors()


async def test_commands_are_suggested_to_help(world: World) -> None:
    choices = await world.admin.autocomplete(world.channel, "help", "command", "city")
    assert choices == [{"name": "add city: Watch the area around a city", "value": "add city"}]
