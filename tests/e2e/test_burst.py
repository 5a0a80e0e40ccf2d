"""Much that is due at once, against Discord's rate limits."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.burst import burst
from dispinmap.discordbot import pacing
from tests.fakes.stage import Stage

CHANNELS, PER_CHANNEL = 30, 5
PATIENT_SECONDS = 1.4
"""A machine that runs several tests at once holds single requests up for longer than the bot's own margin."""
EXEMPT = ("/interactions/", "/webhooks/")


async def test_a_burst_is_posted_whole_without_one_refusal(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "SECONDS", PATIENT_SECONDS)
    figures = await burst(database_file, one_message_each=True, channels=CHANNELS, per_channel=PER_CHANNEL)
    assert (figures.notifications, figures.messages, figures.refused) == (CHANNELS * PER_CHANNEL,) * 2 + (0,)


async def test_every_request_with_the_token_takes_its_turn_and_no_answer_to_a_command(
    empty_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: Counter[str] = Counter()
    wait = pacing.Pace.wait

    async def counted(pace: pacing.Pace) -> None:
        turns["taken"] += 1
        await wait(pace)

    monkeypatch.setattr(pacing.Pace, "wait", counted)
    await empty_stage.start_bot()
    await empty_stage.command("list")
    discord, seed = empty_stage.services.discord, empty_stage.services.seed
    discord.faults.fail(f"/channels/{seed.news.id}/messages", 500, method="POST")
    asked = await discord.say(empty_stage.member_id, seed.news.id, f"{discord.state.bot.mention} list")
    await discord.wait_for_message(seed.news.id, lambda message: message.id > asked.id and message.author.bot)
    with_token = [count for route, count in discord.requests.items() if not any(part in route for part in EXEMPT)]
    assert turns["taken"] == sum(with_token)
    assert sum(with_token) < discord.requests.total()
