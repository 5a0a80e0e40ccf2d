"""Kinds, end to end: a channel gets every type under `all`, and only what it chose under a combination."""

import asyncio

from dispinmap_sandbox.submissions import SubmissionRow
from dispinmap_sandbox.world import World
from tests.fakes.stage import Stage, text_of
from tests.fakes.values import GROUND_KONTROL

MONSTER_BASH = 641
MYSTERY_CASTLE = 1067
HERE = {"latitude": 45.5152, "longitude": -122.6784, "radius": "5"}


def _everything(world: World) -> dict[str, SubmissionRow]:
    """One submission of every type that Pinball Map reports by itself, by type."""
    rows = [
        world.comment(GROUND_KONTROL, MONSTER_BASH, "Plays well"),
        world.score(GROUND_KONTROL, MONSTER_BASH, 1_234_567),
        world.remove_machine(GROUND_KONTROL, MONSTER_BASH),
        world.add_machine(GROUND_KONTROL, MYSTERY_CASTLE),
        world.confirm(GROUND_KONTROL),
        world.open_location(GROUND_KONTROL, "Annex"),
        world.report_unknown(GROUND_KONTROL, "somebody took a *picture* of Ground Kontrol"),
    ]
    return {row.submission_type: row for row in rows}


async def test_all_posts_every_type_and_an_unknown_one_in_its_own_words(stage: Stage) -> None:
    await stage.command("add coordinates", **HERE)
    await stage.command("notifications", kind="all")
    rows = _everything(stage.services.world)
    # A removal has to settle, so that it may miss the first message and wait for the poll rate.
    removal, unknown = rows.pop("remove_machine"), rows.pop("sandbox_surprise")
    stage.pass_time()
    texts = {kind: text_of(await stage.card(row.id)) for kind, row in rows.items()}
    # Every other poll names no types, and so gets those that the bot cannot name.
    for _ in range(2):
        asked = asyncio.ensure_future(stage.services.pinballmap.next_request("user_submissions.json"))
        await asyncio.sleep(0)
        stage.pass_time()
        await asked
    await stage.card(removal.id)
    shown = text_of(await stage.card(unknown.id))
    assert "1,234,567 · high score by" in texts["new_msx"]
    assert "**Line-up confirmed** · by" in texts["confirm_location"]
    assert "**Location opened** · by" in texts["add_location"]
    assert "somebody took a \\*picture\\* of Ground Kontrol" in shown
    assert sorted(stage.announced()) == sorted([removal.id, unknown.id, *(row.id for row in rows.values())])


async def test_a_combination_posts_only_what_was_chosen(stage: Stage) -> None:
    await stage.command("add coordinates", **HERE)
    menu = await stage.command("notifications")
    await stage.choose(menu, "scores", "places")
    await stage.services.discord.wait_for_message(
        stage.channel_id, lambda each: "I’ll post high scores, and places opened and closed here" in each.content
    )
    rows = _everything(stage.services.world)
    stage.pass_time()
    wanted = [rows[kind].id for kind in ("new_msx", "add_location")]
    for submission_id in wanted:
        await stage.card(submission_id)
    stage.pass_time()
    assert sorted(stage.announced()) == wanted


async def test_a_location_that_closed_is_posted_to_who_wants_places(stage: Stage) -> None:
    await stage.command("add coordinates", **HERE)
    await stage.command("notifications", kind="places")
    opened = stage.services.world.open_location(GROUND_KONTROL, "Annex")
    closed = stage.services.world.close_location(GROUND_KONTROL)
    stage.pass_time()
    await stage.card(opened.id)
    assert closed.id in stage.announced()
    assert "**Location closed** · by" in text_of(await stage.card(closed.id))
