"""Alerts over a real webhook, and from the loop that watches; the channel is in test_destination.py."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp
import pytest
from structlog.testing import capture_logs

from dispinmap.alerts import alerts
from dispinmap.alerts.alarm import LOOK_SECONDS, PATIENCE, Alarm
from dispinmap.alerts.alerts import CONTENT_LIMIT, Alerts
from dispinmap.health import HealthReport, Part, judge
from dispinmap.http import open_session
from dispinmap.secret import Secret
from tests.fakes.clock import ManualClock
from tests.fakes.reports import UNWELL, WELL
from tests.fakes.webhook import TOKEN, Webhook, open_webhook


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    async with open_webhook() as hook:
        yield hook


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


async def refuse(_sentence: str) -> None:
    raise ConnectionError(f"https://discord.example/{TOKEN}")


async def test_a_webhook_gets_the_sentence_without_mentions(webhook: Webhook, session: aiohttp.ClientSession) -> None:
    assert await Alerts(session, Secret(webhook.url)).tell("It broke, @everyone.")
    assert webhook.bodies == [{"content": "It broke, @everyone.", "allowed_mentions": {"parse": []}}]


async def test_a_long_sentence_is_cut_to_what_discord_takes(webhook: Webhook, session: aiohttp.ClientSession) -> None:
    assert await Alerts(session, Secret(webhook.url)).tell("word " * 1000)
    [told] = webhook.told
    assert (len(str(told)), str(told)[-1]) == (CONTENT_LIMIT, "…")


async def test_having_no_operator_to_tell_is_not_a_failure(session: aiohttp.ClientSession) -> None:
    assert await Alerts(session).tell("It broke.")


@pytest.mark.parametrize("status", [302, 404, 429, 500])
async def test_a_webhook_that_refuses_is_logged_without_its_address(
    webhook: Webhook, session: aiohttp.ClientSession, status: int
) -> None:
    webhook.answers = [status]
    with capture_logs() as logs:
        assert not await Alerts(session, Secret(webhook.url)).tell("It broke.")
    [line] = logs
    assert (line["event"], line["way"]) == ("alert_failed", "webhook")
    assert line["error"] == f"The webhook answered {status}: check OPERATOR_WEBHOOK_URL."
    assert TOKEN not in str(logs)


async def test_a_webhook_that_cannot_be_reached_is_logged_without_its_address(
    session: aiohttp.ClientSession, closed_port: int
) -> None:
    with capture_logs() as logs:
        assert not await Alerts(session, Secret(f"http://127.0.0.1:{closed_port}/{TOKEN}")).tell("It broke.")
    assert [line["event"] for line in logs] == ["alert_failed"]
    assert TOKEN not in str(logs)


async def test_a_webhook_that_never_answers_is_given_up(
    webhook: Webhook, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook.hold = asyncio.Event()
    monkeypatch.setattr(alerts, "TELL_SECONDS", 0.05)
    assert not await Alerts(session, Secret(webhook.url)).tell("It broke.")
    webhook.hold.set()


async def test_one_way_that_works_is_enough(webhook: Webhook, session: aiohttp.ClientSession) -> None:
    assert await Alerts(session, Secret(webhook.url), refuse).tell("It broke.")
    assert webhook.told == ["It broke."]
    assert not await Alerts(session, post=refuse).tell("It broke.")


@dataclass
class Bot:
    """Whose state a test sets."""

    state: HealthReport | None = WELL

    async def parts(self) -> Mapping[str, Part]:
        if self.state is None:
            raise OSError("disk")
        return judge(self.state)


async def pass_minutes(clock: ManualClock, alarm: Alarm, minutes: int) -> None:
    for _ in range(minutes):
        clock.advance(LOOK_SECONDS)
        await alarm.step()


async def test_a_fault_that_stays_is_told_once_and_so_is_its_end(
    webhook: Webhook, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    bot = Bot()
    alarm = Alarm(bot.parts, Alerts(session, Secret(webhook.url)), clock)
    await alarm.step()
    bot.state = UNWELL
    await alarm.step()
    assert [str(told).split(":")[0] for told in webhook.told] == ["⚠ DisPinMap, drill"]
    await pass_minutes(clock, alarm, 9)
    bot.state = WELL
    await pass_minutes(clock, alarm, 9)
    begun = ["⚠ DisPinMap, drill", *(f"⚠ DisPinMap, {name}" for name in ("discord", "loops", "backup"))]
    ended = [f"✓ DisPinMap, {name}" for name in ("backup", "discord", "drill", "loops")]
    assert [str(told).split(":")[0] for told in webhook.told] == begun + ended
    assert "Litestream cannot write" in str(webhook.told[3])


async def test_a_failed_alert_is_sent_as_soon_as_possible(
    webhook: Webhook, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    webhook.answers = [503, 503]
    bot = Bot(None)
    alarm = Alarm(bot.parts, Alerts(session, Secret(webhook.url)), clock)
    await alarm.step()
    await pass_minutes(clock, alarm, int(PATIENCE.total_seconds() // LOOK_SECONDS) + 9)
    assert len(webhook.bodies) == 3
    assert str(webhook.told[2]).startswith("⚠ DisPinMap, report: The bot cannot tell its state (OSError)")


async def test_without_a_way_to_the_operator_the_log_has_it(session: aiohttp.ClientSession, clock: ManualClock) -> None:
    bot = Bot()
    alarm = Alarm(bot.parts, Alerts(session), clock)
    await alarm.step()
    bot.state = UNWELL
    with capture_logs() as logs:
        await alarm.step()
        bot.state = WELL
        await alarm.step()
    assert [(line["event"], line["part"], line["well"]) for line in logs] == [
        ("operator_told", "drill", False),
        ("operator_told", "drill", True),
    ]


async def test_the_alarm_looks_every_minute(session: aiohttp.ClientSession, clock: ManualClock) -> None:
    looks = 0

    async def look() -> Mapping[str, Part]:
        nonlocal looks
        looks += 1
        return {}

    watching = asyncio.create_task(Alarm(look, Alerts(session), clock).run())
    for expected in (1, 2, 3):
        await asyncio.sleep(0)
        assert looks == expected
        clock.advance(LOOK_SECONDS)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
