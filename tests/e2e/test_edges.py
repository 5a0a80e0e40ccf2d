"""The bot's edges under trouble: old controls, lost permissions, slow neighbours, channels that go."""

import asyncio

from dispinmap.targets import suggestions
from dispinmap_sandbox.discord.models import EPHEMERAL, Interaction, InteractionState, Message
from dispinmap_sandbox.discord.permissions import Permission
from tests.fakes.stage import Stage, parts, text_of
from tests.fakes.values import GROUND_KONTROL

ANSWER_SECONDS = 3.0
"""What Discord gives a bot to acknowledge an interaction."""
PATIENCE = 60


async def _press(stage: Stage, message_id: int, label: str) -> Interaction:
    message = stage.services.discord.state.messages[message_id]
    custom_id = next(part["custom_id"] for part in parts(message) if part.get("label") == label)
    return await stage.services.discord.click(stage.admin_id, message_id, custom_id)


async def _imported(stage: Stage) -> Message:
    return await stage.services.discord.wait_for_message(
        stage.channel_id, lambda message: "Imported" in message.content
    )


async def test_controls_of_an_earlier_life_say_that_they_are_too_old(stage: Stage) -> None:
    plan = await stage.command("import", text="/add coordinates latitude:45.5 longitude:-122.6")
    await stage.stop_bot()
    await stage.start_bot()
    answer = await stage.services.discord.answer(await _press(stage, plan.id, "Apply"))
    assert "too old. Give the command again" in answer.content
    assert answer.flags & EPHEMERAL


async def test_a_person_who_lost_the_permission_cannot_apply(stage: Stage) -> None:
    plan = await stage.command("import", text="/add coordinates latitude:45.5 longitude:-122.6")
    guild = stage.services.discord.state.guilds[stage.services.seed.guild.id]
    guild.owner_id = stage.member_id
    guild.members[stage.admin_id].role_ids.clear()
    refused = await stage.services.discord.answer(await _press(stage, plan.id, "Apply"))
    assert "You need the Manage Channels permission" in refused.content
    assert "doesn’t watch anything yet" in (await stage.command("list")).content


async def test_a_slow_pinball_map_is_waited_for_after_an_answer_in_time(stage: Stage) -> None:
    stage.services.pinballmap.faults.hang("*", times=None)
    asked = await stage.services.discord.invoke(
        stage.admin_id, stage.channel_id, "add location", {"name": "Ground Kontrol"}
    )
    async with asyncio.timeout(PATIENCE):
        await asked.acknowledged.wait()
    # Pinball Map still hangs: nothing of it was waited for, however long the machine took.
    assert asked.state is InteractionState.DEFERRED
    stage.services.pinballmap.faults.clear()
    assert "Ground Kontrol" in (await stage.services.discord.answer(asked)).content


async def test_suggestions_do_not_wait_for_a_slow_pinball_map(stage: Stage) -> None:
    # The second between the two is the network's; a busy machine may need more.
    assert suggestions.PATIENCE_SECONDS <= ANSWER_SECONDS - 1
    stage.services.pinballmap.faults.hang("*", times=None)
    async with asyncio.timeout(PATIENCE / 2):
        found = await stage.services.discord.autocomplete(
            stage.admin_id, stage.channel_id, "add location", {"name": "Ground Kontrol"}, "name"
        )
    assert found == []


async def test_adding_says_which_permissions_are_missing_for_cards(stage: Stage) -> None:
    stage.services.discord.deny(stage.channel_id, Permission.SEND_MESSAGES | Permission.EMBED_LINKS)
    warning = "⚠ But I can’t post here yet. Give me Send Messages, Embed Links in this channel."
    answer = await stage.command("add coordinates", latitude=45.5, longitude=-122.6)
    assert warning in answer.content
    plan = await stage.command("import", text="/add coordinates latitude:45 longitude:10")
    await stage.click(plan, "Apply")
    assert warning in (await _imported(stage)).content


async def test_nothing_the_bot_says_pings_anyone(stage: Stage) -> None:
    stage.services.discord.allow(stage.channel_id, Permission.MENTION_EVERYONE)
    ping = f"@everyone <@{stage.member_id}>"
    await stage.command("add coordinates", latitude=45.5, longitude=-122.6)
    answers = [
        await stage.command("remove", target=ping),
        await stage.command("help", command=ping),
        await stage.command("poll_rate", minutes=ping),
        await stage.command("add location", name=ping),
        await stage.command("import", text=f"/add city name:{ping}\n/add coordinates 45 10"),
    ]
    await stage.click(answers[-1], "Apply")
    answers.append(await _imported(stage))
    assert [answer for answer in answers if answer.mentions or answer.mention_everyone] == []


async def test_a_card_of_hostile_words_is_one_card_that_pings_no_one(stage: Stage) -> None:
    stage.services.discord.allow(stage.channel_id, Permission.MENTION_EVERYONE)
    await stage.command("notifications", kind="all")
    await stage.command("add location", name=str(GROUND_KONTROL))
    machine = stage.services.world.location(GROUND_KONTROL).machines[0]
    words = f"\u202e@everyone <@{stage.member_id}> [free](https://evil.example) \u200b\n# big\n" + "*_`~|" * 2000
    row = stage.services.world.comment(GROUND_KONTROL, machine.id, words)
    stage.pass_time()
    card = await stage.card(row.id)
    assert not card.mentions
    assert not card.mention_everyone
    assert "\u202e" not in text_of(card)
    assert "\\[free\\](https\\://evil.example)" in text_of(card)
