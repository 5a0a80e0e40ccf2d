"""`kill -9` in the middle of a burst: everything is posted, and nothing twice."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dispinmap_sandbox.discord.models import Message
from dispinmap_sandbox.services import EmbeddedServices
from tests.fakes.fast_clock import FastClock
from tests.fakes.services import patient_services
from tests.fakes.stage import shown
from tests.fakes.values import GROUND_KONTROL

MONSTER_BASH = 641
BURST = 200
LONG_COMMENT = "Left flipper weak, everything else plays well. " * 6
POST = "/channels/*/messages"
PROJECT = Path(__file__).parents[2]
PATIENCE = 60


class Killable:
    """The bot as a process of its own."""

    def __init__(self, services: EmbeddedServices, database: Path, origin: float) -> None:
        self.services = services
        self._command = (sys.executable, "-m", "tests.e2e.fast_bot", str(origin))
        self._environment = {
            **os.environ,
            **services.environment,
            "SQLALCHEMY_URL": f"sqlite:///{database}",
            "PORT": "0",
            "LOG_LEVEL": "ERROR",
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(*self._command, cwd=PROJECT, env=self._environment)
        await self.services.discord.wait_connected(PATIENCE)

    async def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
            self._process = None


@asynccontextmanager
async def killable_bot(database: Path) -> AsyncIterator[Killable]:
    origin = time.time()
    async with patient_services(FastClock(origin)) as services:
        bot = Killable(services, database, origin)
        try:
            await bot.start()
            yield bot
        finally:
            await bot.kill()


async def _watch(services: EmbeddedServices, channel_id: int) -> None:
    discord, admin = services.discord, services.seed.administrator.id
    for name, options in (
        ("add location", {"name": str(GROUND_KONTROL)}),
        ("notifications", {"kind": "all"}),
        ("poll_rate", {"minutes": "1"}),
    ):
        await discord.answer(await discord.invoke(admin, channel_id, name, options))


def _posted(services: EmbeddedServices, channel_id: int) -> Counter[int]:
    """How often each submission was announced in the channel."""
    messages = services.discord.state.messages.values()
    return Counter(id_ for m in messages if m.channel_id == channel_id and not m.is_response for id_ in shown(m))


async def _next_post(services: EmbeddedServices) -> None:
    """Return the moment the bot's next notification stands in a channel."""
    with services.discord.subscribe() as events:
        while True:
            message = (await events.get()).message
            if message is not None and not message.is_response and shown(message):
                return


async def _next_poll(services: EmbeddedServices) -> None:
    await services.pinballmap.next_request("user_submissions.json")


async def _lost_answer(services: EmbeddedServices) -> None:
    """The post is made, but the bot is killed before it can hear so."""
    services.discord.faults.drop(POST, method="POST")
    await _next_post(services)


Moment = Callable[[EmbeddedServices], Awaitable[None]]
MOMENTS: tuple[Moment, ...] = (_next_post, _next_poll, _lost_answer, _next_post, _lost_answer)


async def test_killed_five_times_in_a_burst_every_submission_is_posted_once_in_each_channel(
    database_file: Path,
) -> None:
    async with killable_bot(database_file) as bot:
        services = bot.services
        channels = [services.seed.pinball.id, services.seed.news.id]
        for channel_id in channels:
            await _watch(services, channel_id)
        expected: list[int] = []
        for moment in MOMENTS:
            reached = asyncio.ensure_future(moment(services))
            expected += [
                services.world.comment(GROUND_KONTROL, MONSTER_BASH, LONG_COMMENT).id
                for _ in range(BURST // len(MOMENTS))
            ]
            await asyncio.wait_for(reached, PATIENCE)
            await bot.kill()
            services.discord.faults.clear()
            await bot.start()
        for channel_id in channels:
            await services.discord.wait_for_message(channel_id, _carries(expected[-1]), PATIENCE)
        await asyncio.wait_for(_next_poll(services), PATIENCE)
        for channel_id in channels:
            assert _posted(services, channel_id) == Counter(expected)


def _carries(submission_id: int) -> Callable[[Message], bool]:
    return lambda message: submission_id in shown(message)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_bot_cleanly(database_file: Path, sign: signal.Signals) -> None:
    async with killable_bot(database_file) as bot:
        process = bot._process
        assert process is not None
        process.send_signal(sign)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
        bot._process = None
