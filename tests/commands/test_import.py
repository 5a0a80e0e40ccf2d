"""`/import`: the dry run, and what it applies."""

import pytest

from dispinmap.targets.transfer import ImportPlan, PlannedStep
from tests.commands.conftest import World

PLAN = ImportPlan(
    (
        PlannedStep(1, "!add location 874", "add the location Ground Kontrol"),
        PlannedStep(2, "!add location 0", "", "Pinball Map has no location 0: leave it out."),
    )
)


async def test_the_dry_run_says_what_each_line_will_do_or_why_it_cannot(world: World) -> None:
    world.targets.plan = PLAN
    answer = await world.slash("import", text="!add location 874 !add location 0")
    assert answer.content.splitlines() == [
        "I can apply 1 of 2 lines:",
        "✓ 1: add the location Ground Kontrol",
        "⚠ 2: !add location 0: Pinball Map has no location 0: leave it out.",
    ]
    assert world.targets.planned_text == "!add location 874\n!add location 0"
    assert world.targets.applied == []


async def test_applying_carries_it_out_once(world: World) -> None:
    world.targets.plan = PLAN
    answer = await world.slash("import", text="!add location 874")
    await world.admin.click(answer.message, label="Apply")
    assert answer.content == "✓ Imported 1 of 2 lines. I left out the other 1."
    assert answer.components == []
    assert world.targets.applied == [PLAN]


async def test_cancelling_changes_nothing(world: World) -> None:
    world.targets.plan = PLAN
    answer = await world.slash("import", text="!add location 874")
    await world.admin.click(answer.message, label="Cancel")
    assert answer.content == "Cancelled. Nothing changed."
    assert world.targets.applied == []


async def test_time_runs_out_with_nothing_changed(world: World) -> None:
    world.targets.plan = PLAN
    answer = await world.slash("import", text="!add location 874")
    await world.env.advance_time(301)
    assert answer.content.startswith("You didn’t press Apply in time")


async def test_an_apply_that_fails_unforeseen_gives_an_error_id(world: World) -> None:
    world.targets.plan = PLAN
    answer = await world.slash("import", text="!add location 874")
    world.targets.failure = RuntimeError("broken")
    result = await world.admin.click(answer.message, label="Apply")
    assert "Sorry, something went wrong (error `" in result.followups[0].content
    assert len(world.failures) == 1
    assert world.expect_errors()


async def test_a_plan_without_a_possible_line_cannot_be_applied(world: World) -> None:
    world.targets.plan = ImportPlan(PLAN.steps[1:])
    answer = await world.slash("import", text="!add location 0")
    labels = [button["label"] for row in answer.components for button in row["components"]]
    assert labels == ["Cancel"]


async def test_a_long_plan_is_paged(world: World) -> None:
    steps = tuple(PlannedStep(n, f"line {n}", "add something " * 10) for n in range(1, 41))
    world.targets.plan = ImportPlan(steps)
    answer = await world.slash("import", text="x")
    assert len(answer.content) <= 2000
    await world.admin.click(answer.message, custom_id=answer.components[0]["components"][1]["custom_id"])
    assert "I can apply 40 of 40 lines:" in answer.content
    await world.admin.click(answer.message, label="Apply")
    assert "40 of 40" in answer.content


async def test_a_file_is_read(world: World) -> None:
    world.targets.plan = PLAN
    await world.slash("import", file=("export.txt", b"\xef\xbb\xbf!add location 874\n"))
    assert world.targets.planned_text == "!add location 874\n"


async def test_a_file_with_a_message_is_read(world: World) -> None:
    world.targets.plan = PLAN
    await world.admin.send(world.channel, "!import", attachments=[("export.txt", b"!add location 874")])
    assert world.targets.planned_text == "!add location 874"


async def test_several_lines_in_a_message_are_read(world: World) -> None:
    world.targets.plan = PLAN
    await world.say("!import\n!add location 874\n!poll_rate 30 1")
    assert world.targets.planned_text == "!add location 874\n!poll_rate 30 1"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "There’s nothing to import. Attach the file"),
        ({"file": ("x.bin", b"\xff\xfe\x00")}, "That file isn’t UTF-8 text"),
        ({"file": ("x.txt", b"x" * 70_000)}, "That file is too large (70,000 bytes)"),
    ],
)
async def test_what_cannot_be_imported_is_said(world: World, given: dict[str, object], sentence: str) -> None:
    assert sentence in (await world.slash("import", **given)).content
    assert world.expect_errors()
