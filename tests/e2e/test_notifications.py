"""The main job, end to end: somebody asks, something happens at Pinball Map, the channel is told once."""

import asyncio

import pytest

from dispinmap.discordbot.commands.check import COOLDOWN_SECONDS
from dispinmap_sandbox.discord.permissions import Permission
from dispinmap_sandbox.submissions import SubmissionRow
from tests.fakes.stage import Stage, text_of
from tests.fakes.values import GROUND_KONTROL

MONSTER_BASH = 641
POST = "/channels/*/messages"
PATIENCE = 30


def _absent(stage: Stage, count: int) -> list[int]:
    there = {machine.id for machine in stage.services.world.location(GROUND_KONTROL).machines}
    return [machine.id for machine in stage.services.world.catalog if machine.id not in there][:count]


def _add_machine(stage: Stage) -> SubmissionRow:
    return stage.services.world.add_machine(GROUND_KONTROL, _absent(stage, 1)[0])


async def _watch_ground_kontrol(stage: Stage) -> None:
    await stage.command("add location", name="Ground Kontrol Classic Arcade")


async def test_an_added_machine_appears_as_a_card_with_all_that_matters(stage: Stage) -> None:
    answer = await stage.command("add location", name="Ground Kontrol Classic Arcade")
    assert "Ground Kontrol Classic Arcade" in text_of(answer)
    row = stage.services.world.add_machine(GROUND_KONTROL, _absent(stage, 1)[0], "flipper_fan")
    stage.pass_time()
    card = await stage.card(row.id)
    (embed,) = card.embeds
    assert embed["url"] == f"https://pinballmap.com/map?by_location_id={GROUND_KONTROL}#submissions={row.id}"
    text = text_of(card)
    for part in ("Ground Kontrol Classic Arcade", "Portland", "flipper", "CC BY-SA 4.0"):
        assert part in text
    assert stage.announced() == [row.id]


async def test_an_area_says_how_far_away_it_is(stage: Stage) -> None:
    await stage.command("add coordinates", latitude=45.5152, longitude=-122.6784, radius="25")
    row = _add_machine(stage)
    stage.pass_time()
    assert "0.6 mi" in text_of(await stage.card(row.id))


async def test_what_happens_while_the_bot_is_away_is_posted_once_when_it_is_back(stage: Stage) -> None:
    await _watch_ground_kontrol(stage)
    await stage.stop_bot()
    first, second = _absent(stage, 2)
    away = stage.services.world.add_machine(GROUND_KONTROL, first)
    stage.pass_time()
    await stage.start_bot()
    await stage.card(away.id)
    await stage.stop_bot()
    await stage.start_bot()
    later = stage.services.world.add_machine(GROUND_KONTROL, second)
    stage.pass_time()
    await stage.card(later.id)
    assert stage.announced() == [away.id, later.id]


@pytest.mark.parametrize("status", [429, 500, 503, 401])
async def test_pinball_map_refusing_delays_the_news_and_loses_none(stage: Stage, status: int) -> None:
    await _watch_ground_kontrol(stage)
    # The first poll may be under way still, and a check right after a good poll asks nothing.
    await stage.command("check")
    stage.pass_time(COOLDOWN_SECONDS)
    stage.services.pinballmap.faults.fail("*", status, times=None)
    row = _add_machine(stage)
    answer = await stage.command("check")
    assert "Pinball Map" in text_of(answer)
    assert "Pinball Map" in text_of(await stage.command("monitor_health"))
    stage.services.pinballmap.faults.clear()
    stage.services.pinballmap.forgive()
    stage.pass_time()
    await stage.card(row.id)
    assert stage.announced() == [row.id]


async def test_a_malformed_row_does_not_cost_the_others(stage: Stage) -> None:
    await _watch_ground_kontrol(stage)
    stage.services.world.inject([{"id": "nine", "submission_type": None}])
    row = _add_machine(stage)
    stage.pass_time()
    await stage.card(row.id)


async def test_a_channel_that_refuses_us_gets_its_news_once_it_allows_us_again(stage: Stage) -> None:
    await _watch_ground_kontrol(stage)
    stage.services.discord.deny(stage.channel_id, Permission.SEND_MESSAGES)
    row = _add_machine(stage)
    stage.pass_time()
    async with asyncio.timeout(PATIENCE):
        while "I can’t post to 1 channel" not in text_of(await stage.command("monitor_health")):
            pass
    assert stage.announced() == []
    stage.services.discord.allow(stage.channel_id, Permission.SEND_MESSAGES)
    stage.pass_time()
    await stage.card(row.id)
    assert stage.announced() == [row.id]


async def test_an_answer_lost_on_the_way_back_posts_nothing_twice(stage: Stage) -> None:
    await _watch_ground_kontrol(stage)
    stage.services.discord.faults.drop(POST, method="POST")
    first, second = _absent(stage, 2)
    row = stage.services.world.add_machine(GROUND_KONTROL, first)
    stage.pass_time()
    await stage.card(row.id)
    later = stage.services.world.add_machine(GROUND_KONTROL, second)
    stage.pass_time()
    await stage.card(later.id)
    assert stage.announced() == [row.id, later.id]


async def test_a_bot_thrown_out_and_invited_again_goes_on(stage: Stage) -> None:
    await _watch_ground_kontrol(stage)
    guild = stage.services.seed.guild
    await stage.services.discord.remove_bot(guild.id)
    first, second = _absent(stage, 2)
    stage.services.world.add_machine(GROUND_KONTROL, first)
    stage.pass_time()
    await stage.services.discord.add_bot(guild.id)
    await stage.command("list")
    row = stage.services.world.add_machine(GROUND_KONTROL, second)
    stage.pass_time()
    await stage.card(row.id)
    assert stage.announced().count(row.id) == 1


async def test_a_dropped_gateway_comes_back_and_news_goes_on(stage: Stage) -> None:
    await _watch_ground_kontrol(stage)
    await stage.services.discord.drop_gateway(resumable=False)
    row = _add_machine(stage)
    stage.pass_time()
    await stage.card(row.id)
    await stage.services.discord.wait_connected()
    assert "Ground Kontrol" in text_of(await stage.command("list"))


async def test_ten_changes_at_one_place_are_one_card(stage: Stage) -> None:
    await _watch_ground_kontrol(stage)
    rows = [stage.services.world.add_machine(GROUND_KONTROL, machine).id for machine in _absent(stage, 10)]
    stage.pass_time()
    card = await stage.card(rows[-1])
    assert len(card.embeds) == 1
    assert stage.announced() == rows
